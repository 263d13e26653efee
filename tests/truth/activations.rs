//! Values and slopes of the activations, on every engine, against PyTorch's and over the whole range that matters.

use crate::support::{Make, ON_GPU, linear, reference, run, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::{Activation, Adam, Loss, Network, Task, Weighting};

/// `torch.nn.functional` of PyTorch 2.15 in `float64`, and autograd's slope.
const PYTORCH: [(Activation, f64, f64, f64); 24] = {
    use Activation::{Gelu, Silu, Tanh};
    [
        (Gelu, -6.0, -5.919525869479969e-09, -3.546870945402639e-08),
        (Gelu, -3.0, -0.00404969409489031, -0.01194564720418392),
        (Gelu, -1.5, -0.10021080190328704, -0.1274691922299796),
        (Gelu, -0.75, -0.16997051428265111, 0.0007742782607648158),
        (Gelu, -0.0625, -0.029692645685672047, 0.4501970899278223),
        (Gelu, 0.03125, 0.016014528669824286, 0.5249257778067511),
        (Gelu, 0.375, 0.2423136625022714, 0.7856154268738871),
        (Gelu, 0.875, 0.7080614162540533, 1.047261170728715),
        (Gelu, 1.75, 1.67989647548832, 1.110926151082578),
        (Gelu, 3.5, 3.4991857982233756, 1.0028217603536247),
        (Silu, -10.0, -0.0004539786870243439, -0.00040856020865708237),
        (Silu, -3.0, -0.14227761953270035, -0.08810410601516962),
        (Silu, -0.75, -0.24061597561845527, 0.1574000555032465),
        (Silu, 0.03125, 0.01586912075872514, 0.5156224572409696),
        (Silu, 0.625, 0.4070967904162839, 0.7932871802547544),
        (Silu, 1.75, 1.4909174034445436, 1.072678946044957),
        (Silu, 3.5, 3.3974071923702525, 1.0702733528277182),
        (Silu, 9.0, 8.998889448816124, 1.0009870195718982),
        (Tanh, -3.0, -0.9950547536867305, 0.009866037165440166),
        (Tanh, -0.75, -0.6351489523872873, 0.5965858082813315),
        (Tanh, -0.0625, -0.062418746747512514, 0.9961039000544699),
        (Tanh, 0.125, 0.12435300177159621, 0.9845363309503934),
        (Tanh, 0.875, 0.703905603936621, 0.5045169007466208),
        (Tanh, 2.5, 0.9866142981514303, 0.02659222668316057),
    ]
};

/// Value and slope at each point, as an engine with a hidden layer of this width has them.
///
/// The points are the units' biases and the weights around them 0 and 1. At an absolute error with the target far below,
/// the gradient at the prediction is 1: that of a head's weight is the unit's value, and that of its bias the slope.
fn evaluated(make: Make, activation: Activation, points: &[f64], width: usize) -> Vec<[f64; 2]> {
    let mut adam = Adam::new(0.0);
    adam.network.betas.0 = 0.0;
    let tasks = [Task::new("far", Loss::Mae, 1)];
    let mut recipe = linear(&tasks, Weighting::equal(1), adam, 1);
    recipe.network = Network::new(1, &[width], activation, &tasks).expect("a network");
    let matrix = |value| Matrix::new(1, vec![value]).expect("a number");
    let data = Dataset::new(matrix(0.0), vec![Target::numbers(matrix(-1e5))]).expect("a dataset");
    let [hidden, head] = [0, 1].map(|layer| recipe.network.layers()[layer]);
    let mut engine = make(recipe, data);
    let mut state = state_of(engine.as_mut());
    let mut found = Vec::new();
    for points in points.chunks(width) {
        state.parameters.fill(0.0);
        state.parameters[hidden.bias..][..points.len()].copy_from_slice(points);
        state.parameters[head.weight..][..width].fill(1.0);
        engine.load(&state).expect("the state fits");
        run(engine.as_mut(), &schedule(1, 1, 1)).expect("a step");
        let gradients: Vec<f64> = state_of(engine.as_mut()).moments.iter().map(|m| m[0]).collect();
        let unit = |unit| [gradients[head.weight + unit], gradients[hidden.bias + unit]];
        found.extend((0..points.len()).map(unit));
    }
    found
}

fn check(case: &str, x: f64, found: [f64; 2], expected: [f64; 2], tolerance: f64) {
    let [value, slope] = [0, 1].map(|i| (found[i] - expected[i]).abs());
    let close = value <= tolerance * x.abs().max(1.0) && slope <= tolerance;
    assert!(close, "{case} at {x}: {found:?}, expected {expected:?} (value and slope)");
}

fn has_pytorchs_values(name: &str, make: Make, tolerance: f64) {
    for row in &PYTORCH {
        let (activation, x, value, slope) = *row;
        let found = evaluated(make, activation, &[x], 1)[0];
        check(&format!("{name}, {activation:?}"), x, found, [value, slope], tolerance);
    }
}

#[test]
fn the_reference_has_pytorchs_values_and_slopes() {
    has_pytorchs_values("reference", &reference, 1e-14);
}

/// The widths of several programs of the fused engine; 270 is too wide for one workgroup.
#[test]
fn the_gpu_engines_have_values_and_slopes_of_single_precision_everywhere() {
    let points: Vec<f64> = (-270..270).map(|i| f64::from(i) / 32.0).collect();
    for (name, make) in ON_GPU {
        for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu] {
            for width in [12, 270] {
                let found = evaluated(make, activation, &points, width);
                for (&x, found) in points.iter().zip(found) {
                    let (value, slope) = activation.evaluate(x);
                    let case = format!("{name}, {activation:?} in a layer of {width}");
                    // A driver's exp may be off by some 1e-7, which counts up to eight times here.
                    check(&case, x, found, [value, slope], 1e-6);
                }
            }
        }
    }
}
