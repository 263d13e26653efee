//! Pictures of surfaces, true or predicted, and how far one is from the other.

use crate::world::{self, SKY, Surface, dot, unit};

/// What is seen at the middle of each pixel, row after row.
#[derive(Clone, Debug)]
pub struct View {
    pub size: Size,
    pub surfaces: Vec<Surface>,
}

/// Width and height of a picture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

impl Size {
    /// The same picture at twice the resolution.
    pub fn doubled(self) -> Self {
        Self { width: 2 * self.width, height: 2 * self.height }
    }

    /// The middles of the pixels, row after row: from the picture's middle to the right and from its top down, both
    /// in heights of the picture.
    pub fn points(self) -> impl Iterator<Item = [f64; 2]> {
        let Self { width, height } = self;
        let middle = width as f64 / 2.0;
        let point = move |row: usize, column: usize| {
            [(column as f64 + 0.5 - middle) / height as f64, (row as f64 + 0.5) / height as f64]
        };
        (0..height).flat_map(move |row| (0..width).map(move |column| point(row, column)))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {}", self.width, self.height)
    }
}

impl View {
    /// The truth.
    pub fn of_world(size: Size) -> Self {
        let surfaces = size.points().map(|[x, y]| world::look(x, y)).collect();
        Self { size, surfaces }
    }
}

/// How far predictions are from the truth: depth and normals where the truth has them, classes everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// Mean absolute error in metres.
    pub depth: f64,
    /// Share of pixels whose class is wrong.
    pub class: f64,
    /// Mean angle between the true and the predicted normal, in degrees.
    pub normal: f64,
}

impl Errors {
    /// The errors of a view against the truth of the same size.
    pub fn between(predicted: &View, truth: &View) -> Self {
        let (mut depth, mut angle, mut wrong, mut things) = (0.0, 0.0, 0.0, 0.0);
        for (predicted, truth) in predicted.surfaces.iter().zip(&truth.surfaces) {
            wrong += f64::from(predicted.class != truth.class);
            if truth.class != SKY {
                things += 1.0;
                depth += (predicted.depth - truth.depth).abs();
                angle += dot(unit(predicted.normal), truth.normal).clamp(-1.0, 1.0).acos();
            }
        }
        let pixels = truth.surfaces.len() as f64;
        Self { depth: depth / things, class: wrong / pixels, normal: (angle / things).to_degrees() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_the_middles_of_pixels_in_heights_of_the_picture() {
        let points: Vec<_> = Size { width: 4, height: 2 }.points().collect();
        let first_row = [[-0.75, 0.25], [-0.25, 0.25], [0.25, 0.25], [0.75, 0.25]];
        assert_eq!(points[..4], first_row);
        assert_eq!(points[7], [0.75, 0.75]);
        // No pixel of the finer picture has the middle of one of the coarser.
        let finer: Vec<_> = Size { width: 4, height: 2 }.doubled().points().collect();
        assert_eq!(finer.len(), 32);
        assert!(points.iter().all(|point| !finer.contains(point)));
    }

    #[test]
    fn the_sky_counts_for_its_class_alone() {
        let seen = |class, depth, normal| Surface { class, depth, normal };
        let view = |surfaces| View { size: Size { width: 4, height: 1 }, surfaces };
        let up = [0.0, 1.0, 0.0];
        let truth = view(vec![
            seen(SKY, f64::INFINITY, [0.0; 3]),
            seen(SKY, f64::INFINITY, [0.0; 3]),
            seen(1, 4.0, up),
            seen(2, 6.0, up),
        ]);
        let predicted = view(vec![
            seen(SKY, 99.0, [1.0, 0.0, 0.0]),
            seen(3, 99.0, [1.0, 0.0, 0.0]),
            seen(1, 4.5, [0.0, 3.0, 0.0]),
            seen(2, 5.0, [2.0, 2.0, 0.0]),
        ]);
        let found = Errors::between(&predicted, &truth);
        assert_eq!((found.depth, found.class), (0.75, 0.25));
        assert!((found.normal - 22.5).abs() < 1e-12, "{found:?}");
    }
}
