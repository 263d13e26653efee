//! The scene and its camera: what is seen at any point of the picture, exactly, by tracing one ray.
//!
//! Right is x, up is y, ahead is z, in metres. The camera stands above the origin and looks ahead and a little
//! down. Knows nothing of pixels, networks or colours.

/// A point or a direction.
pub type Vector = [f64; 3];

/// The classes, by number; every other one is something with a depth and a normal.
pub const CLASSES: [&str; 4] = ["sky", "ground", "ball", "box"];

/// The class of what has neither depth nor normal.
pub const SKY: usize = 0;

/// What is seen at one point of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surface {
    /// Index into [`CLASSES`].
    pub class: usize,
    /// Distance along the direction in which the camera looks, in metres, as depth cameras give it; none in the sky.
    pub depth: f64,
    /// Unit vector out of the surface; none in the sky.
    pub normal: Vector,
}

enum Shape {
    /// A disc on the floor.
    Disc {
        radius: f64,
    },
    Ball {
        radius: f64,
    },
    /// Half of its width, height and length, and its turn about the vertical in radians.
    Box {
        half: Vector,
        turn: f64,
    },
}

struct Thing {
    class: usize,
    centre: Vector,
    shape: Shape,
}

/// The camera's height, the slope at which it looks down, and the tangent of half its vertical field of view.
const HEIGHT: f64 = 2.1;
const SLOPE: f64 = 0.2;
const HALF_VIEW: f64 = 0.36;

/// Everything but the sky, lying on the floor.
const THINGS: [Thing; 8] = [
    Thing { class: 1, centre: [0.0, 0.0, 8.0], shape: Shape::Disc { radius: 8.0 } },
    ball([-1.3, 0.0, 7.4], 1.05),
    ball([0.25, 0.0, 5.6], 0.42),
    ball([1.2, 0.0, 11.5], 1.45),
    ball([1.55, 0.0, 4.9], 0.25),
    cuboid([1.95, 0.0, 7.6], [0.6, 0.7, 0.6], 0.65),
    cuboid([-3.2, 0.0, 11.5], [0.8, 1.65, 0.8], -0.5),
    cuboid([-1.0, 0.0, 4.9], [0.3, 0.14, 0.3], 0.35),
];

const fn ball([x, floor, z]: Vector, radius: f64) -> Thing {
    Thing { class: 2, centre: [x, floor + radius, z], shape: Shape::Ball { radius } }
}

const fn cuboid([x, floor, z]: Vector, half: Vector, turn: f64) -> Thing {
    Thing { class: 3, centre: [x, floor + half[1], z], shape: Shape::Box { half, turn } }
}

/// What is seen at a point of the picture: `x` from its middle to the right, `y` from its top down, both in heights
/// of the picture.
pub fn look(x: f64, y: f64) -> Surface {
    let direction = ray(x, y);
    let mut nearest = Surface { class: SKY, depth: f64::INFINITY, normal: [0.0; 3] };
    for thing in &THINGS {
        if let Some((depth, normal)) = thing.hit([0.0, HEIGHT, 0.0], direction)
            && depth < nearest.depth
        {
            nearest = Surface { class: thing.class, depth, normal };
        }
    }
    nearest
}

/// The direction in which that point lies. Its part along the camera's axis is 1: what is `t` times it away has depth
/// `t`.
fn ray(x: f64, y: f64) -> Vector {
    let (right, up) = (2.0 * HALF_VIEW * x, 2.0 * HALF_VIEW * (0.5 - y));
    let ahead = unit([0.0, -SLOPE, 1.0]);
    [right, ahead[1] + up * ahead[2], ahead[2] - up * ahead[1]]
}

impl Thing {
    /// Where a ray from outside first meets the thing, in lengths of `direction`, and the normal there.
    fn hit(&self, eye: Vector, direction: Vector) -> Option<(f64, Vector)> {
        let eye = [0, 1, 2].map(|axis| eye[axis] - self.centre[axis]);
        match self.shape {
            Shape::Disc { radius } => {
                let t = -eye[1] / direction[1];
                let met = along(eye, direction, t);
                (t > 0.0 && dot(met, met) < radius * radius).then_some((t, [0.0, 1.0, 0.0]))
            }
            Shape::Ball { radius } => hit_ball(eye, direction, radius),
            Shape::Box { half, turn } => {
                let (eye, direction) = (turned(eye, -turn), turned(direction, -turn));
                hit_box(eye, direction, half).map(|(t, normal)| (t, turned(normal, turn)))
            }
        }
    }
}

/// Solves `|eye + t·direction| = radius` for the smaller t.
fn hit_ball(eye: Vector, direction: Vector, radius: f64) -> Option<(f64, Vector)> {
    let (square, half_linear) = (dot(direction, direction), dot(eye, direction));
    let discriminant = half_linear.powi(2) - square * (dot(eye, eye) - radius * radius);
    let t = (-half_linear - discriminant.sqrt()) / square;
    // NaN, where the ray misses, is not above 0.
    (t > 0.0).then(|| (t, unit(along(eye, direction, t))))
}

/// The ray is inside the box while it is between the planes of all three axes.
fn hit_box(eye: Vector, direction: Vector, half: Vector) -> Option<(f64, Vector)> {
    let (mut enter, mut leave, mut face) = (f64::NEG_INFINITY, f64::INFINITY, 0);
    for axis in 0..3 {
        let [a, b] = [-half[axis], half[axis]].map(|plane| (plane - eye[axis]) / direction[axis]);
        if a.min(b) > enter {
            (enter, face) = (a.min(b), axis);
        }
        leave = leave.min(a.max(b));
    }
    let mut normal = [0.0; 3];
    normal[face] = -direction[face].signum();
    (enter > 0.0 && enter < leave).then_some((enter, normal))
}

/// The point at `t` on a ray.
fn along(eye: Vector, direction: Vector, t: f64) -> Vector {
    [0, 1, 2].map(|axis| eye[axis] + t * direction[axis])
}

/// Turned about the vertical.
fn turned([x, y, z]: Vector, angle: f64) -> Vector {
    let (sine, cosine) = angle.sin_cos();
    [cosine * x + sine * z, y, cosine * z - sine * x]
}

pub fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The vector at length 1.
pub fn unit(vector: Vector) -> Vector {
    let length = dot(vector, vector).sqrt();
    vector.map(|component| component / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AHEAD: Vector = [0.0, 0.0, 2.0];

    #[test]
    fn rays_meet_shapes_where_geometry_says() {
        let thing = |shape| Thing { class: 1, centre: [0.0, 0.0, 10.0], shape };
        let box_of = |turn| thing(Shape::Box { half: [1.0, 2.0, 3.0], turn });
        let quarter = std::f64::consts::FRAC_PI_2;
        let half_root = 0.5_f64.sqrt();
        for (what, thing, eye, direction, expected) in [
            // t counts in lengths of the direction, here 2 m.
            (
                "a ball's pole",
                thing(Shape::Ball { radius: 4.0 }),
                [0.0; 3],
                AHEAD,
                Some((3.0, [0.0, 0.0, -1.0])),
            ),
            // Off the axis by r/√2, the ray meets the ball at 45°.
            (
                "a ball's flank",
                thing(Shape::Ball { radius: 1.0 }),
                [half_root, 0.0, 0.0],
                [0.0, 0.0, 1.0],
                Some((10.0 - half_root, [half_root, 0.0, -half_root])),
            ),
            ("past a ball", thing(Shape::Ball { radius: 1.0 }), [1.01, 0.0, 0.0], AHEAD, None),
            ("a ball behind", thing(Shape::Ball { radius: 1.0 }), [0.0, 0.0, 20.0], AHEAD, None),
            ("a box's face", box_of(0.0), [0.5, 0.5, 0.0], AHEAD, Some((3.5, [0.0, 0.0, -1.0]))),
            (
                "a turned box's face",
                box_of(quarter),
                [2.5, 0.5, 0.0],
                AHEAD,
                Some((4.5, [0.0, 0.0, -1.0])),
            ),
            ("past a box", box_of(0.0), [1.5, 0.0, 0.0], AHEAD, None),
            ("past a turned box", box_of(quarter), [3.5, 0.0, 0.0], AHEAD, None),
            ("a box behind", box_of(0.0), [0.0, 0.0, 20.0], AHEAD, None),
            // At a slope of 1/5 the floor is 5 heights away.
            (
                "the disc",
                thing(Shape::Disc { radius: 2.0 }),
                [0.0, 2.0, 0.0],
                [0.0, -0.2, 1.0],
                Some((10.0, [0.0, 1.0, 0.0])),
            ),
            (
                "beyond the disc",
                thing(Shape::Disc { radius: 2.0 }),
                [0.0, 2.5, 0.0],
                [0.0, -0.2, 1.0],
                None,
            ),
        ] {
            let close = match (thing.hit(eye, direction), expected) {
                (Some((t, normal)), Some((expected, out))) => {
                    let apart = normal.iter().zip(out).map(|(a, b)| (a - b).abs());
                    (t - expected).abs() < 1e-12 && apart.fold(0.0, f64::max) < 1e-12
                }
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(close, "{what}: {:?}, not {expected:?}", thing.hit(eye, direction));
        }
    }

    #[test]
    fn the_scene_shows_every_class_and_its_surfaces_face_the_camera() {
        let mut seen = [0; CLASSES.len()];
        for (row, column) in (0..90).flat_map(|row| (0..120).map(move |column| (row, column))) {
            let (x, y) = ((f64::from(column) - 59.5) / 90.0, (f64::from(row) + 0.5) / 90.0);
            let surface = look(x, y);
            seen[surface.class] += 1;
            if surface.class != SKY {
                assert!((2.0..17.0).contains(&surface.depth), "{surface:?}");
                assert!((dot(surface.normal, surface.normal) - 1.0).abs() < 1e-12, "{surface:?}");
                assert!(dot(surface.normal, ray(x, y)) < 0.0, "{surface:?}");
            }
        }
        assert!(seen.iter().all(|&count| count > 500), "{CLASSES:?}: {seen:?} of 10,800");
    }
}
