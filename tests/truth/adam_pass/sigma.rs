//! Adam on the σ of a loss pass.

use super::{buffer, progress, read, submit, write};
use crate::support::{assert_each_close, gpu};
use awl::loss::{Labels, LossBuffers, LossPass, Sums};
use awl::optimizer::{AdamPass, Group};
use awl::{Adam, AutomaticWeightedLoss, Loss, Matrix, SigmaForm, Target, Task, Weighting};
use pollster::block_on;

const ROWS: usize = 40;

/// Three tasks, the last two of which have labels in the rows that a mask says.
fn labels() -> Labels {
    let tasks = [
        Task::new("a", Loss::Mse, 2),
        Task::new("b", Loss::cross_entropy(), 3),
        Task::new("c", Loss::Mae, 1),
    ];
    let numbers = |columns: usize| {
        let values = (0..columns * ROWS).map(|i| (i % 7) as f32).collect();
        Target::numbers(Matrix::new(columns, values).expect("a matrix"))
    };
    let kinds = Target::classes((0..ROWS).map(|row| row as u32 % 3).collect());
    // A label that is missing makes a mask, which the test then writes.
    let all: Vec<bool> = (0..ROWS).map(|row| row > 0).collect();
    let targets = [
        numbers(2),
        kinds.labelled(all.clone()).expect("a mask"),
        numbers(1).labelled(all).expect("a mask"),
    ];
    Labels::pack(&tasks, &targets).expect("labels")
}

/// σ as it learns in `f64`, from the losses that the pass finds.
struct Twin {
    parameter: f64,
    moments: [f64; 2],
    steps: i32,
}

impl Twin {
    fn go(&mut self, weighting: &Weighting, group: &Group, loss: f64) {
        self.steps += 1;
        let corrections = [group.betas.0, group.betas.1].map(|beta| 1.0 - beta.powi(self.steps));
        let slope = weighting.parameter_gradient(loss, self.parameter);
        let updated = group.update(self.parameter, slope, &mut self.moments, corrections);
        self.parameter = weighting.least_parameter().map_or(updated, |least| updated.max(least));
    }
}

/// Trains σ for 100 steps; task 1 has no label in every third of them, task 2 in none.
fn follow(weighting: &Weighting, adam: &Adam, predicted: f32) {
    let labels = labels();
    let predictions = buffer(&[predicted; 6 * ROWS]);
    // A second time, 256 bytes from the start.
    let sigma = buffer(&[&[7.0; 64], weighting.parameters()].concat());
    let words = buffer(bytemuck::cast_slice(&labels.words));
    let gradient = buffer(&[0.0; 6 * ROWS]);
    let buffers = LossBuffers {
        predictions: predictions.slice(..),
        labels: words.slice(..),
        sigma: sigma.slice(256..),
        gradient: gradient.slice(..),
    };
    let sums = Sums::Repeatable;
    let pass = LossPass::new(gpu(), &labels.layouts, ROWS, weighting, buffers, sums);
    let pass = block_on(pass).expect("a pass");
    let learns = block_on(AdamPass::new(gpu(), adam, &[], Some(&pass))).expect("Adam");
    assert_eq!(learns.dispatches(), 1);
    let twin = |&parameter: &f32| Twin { parameter: parameter.into(), moments: [0.0; 2], steps: 0 };
    let mut twins: Vec<Twin> = weighting.parameters().iter().map(twin).collect();
    let mask = |task: usize, bits: u32| {
        write(&words, labels.layouts[task].mask as usize, &[f32::from_bits(bits); 2]);
    };
    mask(2, 0);
    for step in 1..=100 {
        mask(1, if step % 3 == 0 { 0 } else { 0xff });
        let mut encoder = gpu().device().create_command_encoder(&Default::default());
        pass.encode(&mut encoder);
        learns.encode(&mut encoder);
        gpu().queue().submit([encoder.finish()]);
        if step == 1 {
            let losses = block_on(pass.read()).expect("results").losses;
            assert!(losses[2] == 0.0 && losses[1] > 0.0, "{losses:?}");
        }
        // Predictions stay as they are, and so do losses of the same rows.
        for k in [0, 1].into_iter().filter(|k| *k == 0 || step % 3 != 0) {
            twins[k].go(weighting, &adam.sigma, loss(k, predicted));
        }
    }
    let found: Vec<f64> = read(&sigma)[64..].iter().map(|&p| p.into()).collect();
    let expected: Vec<f64> = twins.iter().map(|twin| twin.parameter).collect();
    assert_each_close(&format!("{weighting:?}, {adam:?}"), &found, &expected, 1e-5);
    assert_eq!(found[2], f64::from(weighting.parameters()[2]), "no label, no step");
    assert_eq!((read(&sigma)[63], progress(&learns).steps), (7.0, 100));
}

/// The mean loss of a task over its labelled rows, where every prediction is the same.
fn loss(task: usize, predicted: f32) -> f64 {
    let square = |i: usize| (f64::from(predicted) - (i % 7) as f64).powi(2);
    match task {
        0 => (0..2 * ROWS).map(square).sum::<f64>() / (2 * ROWS) as f64,
        _ => 3f64.ln(),
    }
}

#[test]
fn sigma_learns_as_in_the_reference_and_stays_where_no_label_is() {
    let form = |form| {
        Weighting::from(AutomaticWeightedLoss::starting_at(vec![0.8, 1.5, 2.0]).with_form(form))
    };
    let mut decays = Adam::new(0.5).sigma_learning_rate(0.02).decoupled();
    decays.sigma.weight_decay = 0.5;
    for weighting in [
        form(SigmaForm::Plain),
        form(SigmaForm::log()),
        Weighting::named("uncertainty", &[], &[false, true, false]).expect("a weighting"),
        Weighting::named("imtl-l", &[], &[false; 3]).expect("a weighting"),
    ] {
        for adam in [Adam::new(0.01), decays] {
            follow(&weighting, &adam, 0.5);
        }
    }
}

#[test]
fn sigma_stays_above_its_floor() {
    let form = SigmaForm::log();
    let weighting: Weighting =
        AutomaticWeightedLoss::starting_at(vec![1e-3; 3]).with_form(form).into();
    let least = form.least_parameter().expect("a floor");
    let labels = labels();
    // Answered exactly, all of them: the gradient leads down for ever.
    let exact = [0f32; 6 * ROWS];
    let mut words = labels.words.clone();
    for layout in labels.layouts.iter().filter(|layout| layout.loss < 2) {
        words[layout.label as usize..][..ROWS * layout.width as usize].fill(0);
    }
    let [predictions, words, gradient] =
        [buffer(&exact), buffer(bytemuck::cast_slice(&words)), buffer(&exact)];
    let sigma = buffer(weighting.parameters());
    let buffers = LossBuffers {
        predictions: predictions.slice(..),
        labels: words.slice(..),
        sigma: sigma.slice(..),
        gradient: gradient.slice(..),
    };
    let pass = LossPass::new(gpu(), &labels.layouts, ROWS, &weighting, buffers, Sums::OneDispatch);
    let pass = block_on(pass).expect("a pass");
    let learns = block_on(AdamPass::new(gpu(), &Adam::new(0.5), &[], Some(&pass))).expect("Adam");
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    pass.encode(&mut encoder);
    gpu().queue().submit([encoder.finish()]);
    // The same gradient each time.
    submit(&learns, 60);
    let found = read(&sigma);
    assert_eq!((found[0], found[2]), (least, least), "{found:?}");
}
