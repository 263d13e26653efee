//! What a surface looks like: a colour for its depth, its class, its normal, and for all three together.

use crate::world::{SKY, Surface, Vector, dot, unit};

/// Red, green and blue.
pub type Colour = [u8; 3];

/// A way to colour a surface.
pub type Map = fn(&Surface) -> Colour;

/// The pictures that are made of a view, in their order, with their names.
pub const MAPS: [(&str, Map); 4] =
    [("all three", together), ("depth", depth), ("class", class), ("normal", normal)];

/// The depths, in metres, of the two ends of the colour map.
pub const DEPTHS: [f64; 2] = [3.0, 16.0];

/// Where there is no depth and no normal.
const NOTHING: Colour = [236, 236, 240];

const CLASS_COLOURS: [Colour; 4] =
    [[188, 217, 240], [222, 207, 168], [214, 84, 66], [72, 104, 176]];

/// From the sun.
const LIGHT: Vector = [-0.55, 0.75, -0.5];

/// The class's colour, lit as the normal says, in a haze that thickens with depth: a picture from predictions alone.
fn together(surface: &Surface) -> Colour {
    let sky = CLASS_COLOURS[SKY].map(f64::from);
    if surface.class == SKY {
        return CLASS_COLOURS[SKY];
    }
    let lit = 0.42 + 0.62 * dot(unit(surface.normal), unit(LIGHT)).max(0.0);
    let haze = 0.6 * (surface.depth / DEPTHS[1]).clamp(0.0, 1.0).powi(2);
    let own = CLASS_COLOURS[surface.class].map(|channel| f64::from(channel) * lit);
    [0, 1, 2].map(|channel| ((1.0 - haze) * own[channel] + haze * sky[channel]) as u8)
}

/// Near is bright.
fn depth(surface: &Surface) -> Colour {
    let [near, far] = DEPTHS;
    match surface.class {
        SKY => NOTHING,
        _ => viridis((far - surface.depth) / (far - near)),
    }
}

fn class(surface: &Surface) -> Colour {
    CLASS_COLOURS[surface.class]
}

/// Red to the right, green up, blue towards the camera, as in normal maps; ½ is 0.
fn normal(surface: &Surface) -> Colour {
    let [x, y, z] = unit(surface.normal);
    match surface.class {
        SKY => NOTHING,
        _ => [x, y, -z].map(|component| (127.5 + 127.5 * component).round() as u8),
    }
}

/// The perceptually uniform colour map of that name, from 0 (dark) to 1 (bright): polynomials of degree 6 fitted to
/// matplotlib's table, within 5 of 255 everywhere.
pub fn viridis(value: f64) -> Colour {
    const CHANNELS: [[f64; 7]; 3] = [
        [0.268, 0.268, -1.018, -4.728, 10.793, -2.417, -2.176],
        [0.004, 1.440, -0.105, -4.832, 12.948, -13.069, 4.521],
        [0.330, 1.374, 1.059, -25.797, 72.803, -82.363, 32.735],
    ];
    let value = value.clamp(0.0, 1.0);
    let channel = |c: [f64; 7]| c.iter().rev().fold(0.0, |sum, factor| sum * value + factor);
    CHANNELS.map(|factors| (255.0 * channel(factors)).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_is_near_the_original() {
        // matplotlib.colormaps["viridis"].colors at 0, 64, 128, 192 and 255.
        for (index, expected) in [
            (0, [68, 1, 84]),
            (64, [59, 82, 139]),
            (128, [33, 145, 140]),
            (192, [94, 201, 98]),
            (255, [253, 231, 37]),
        ] {
            let found = viridis(f64::from(index) / 255.0);
            let apart = found.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
            assert!(apart <= Some(5), "{index}: {found:?}, not {expected:?}");
        }
        assert_eq!((viridis(-1.0), viridis(2.0)), (viridis(0.0), viridis(1.0)));
    }

    #[test]
    fn near_is_bright_and_the_sky_has_neither_depth_nor_normal() {
        let at = |depth| Surface { class: 1, depth, normal: [0.0, 2.0, 0.0] };
        assert_eq!(depth(&at(DEPTHS[0])), viridis(1.0));
        assert_eq!(depth(&at(99.0)), viridis(0.0));
        assert_eq!(normal(&at(4.0)), [128, 255, 128]);
        let sky = Surface { class: SKY, ..at(4.0) };
        assert_eq!((depth(&sky), normal(&sky)), (NOTHING, NOTHING));
    }
}
