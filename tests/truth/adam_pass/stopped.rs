//! What is not finite stops Adam before it changes anything.

use super::{buffer, gradient, part, progress, read, submit, write};
use crate::support::gpu;
use awl::loss::{Labels, LossBuffers, LossPass, Sums};
use awl::optimizer::{AdamBuffers, AdamPass, AdamProgress, AdamStop};
use awl::{Adam, AutomaticWeightedLoss, Loss, Matrix, Target, Task};
use pollster::block_on;

/// Two parts of parameters, and σ of a task.
struct Rig {
    parameters: [wgpu::Buffer; 2],
    gradients: [wgpu::Buffer; 2],
    predictions: wgpu::Buffer,
    sigma: wgpu::Buffer,
    pass: LossPass,
    adam: AdamPass,
}

impl Rig {
    fn new(sigma: f32) -> Self {
        let task = [Task::new("y", Loss::Mse, 1)];
        let numbers = Target::numbers(Matrix::new(1, vec![1.0; 4]).expect("a matrix"));
        let labels = Labels::pack(&task, &[numbers]).expect("labels");
        let words = buffer(bytemuck::cast_slice(&labels.words));
        let sigma = buffer(&[sigma]);
        let [predictions, of_predictions] = [buffer(&[0.0; 4]), buffer(&[0.0; 4])];
        let buffers = LossBuffers {
            predictions: predictions.slice(..),
            labels: words.slice(..),
            sigma: sigma.slice(..),
            gradient: of_predictions.slice(..),
        };
        let awl = AutomaticWeightedLoss::new(1).into();
        let pass = LossPass::new(gpu(), &labels.layouts, 4, &awl, buffers, Sums::Repeatable);
        let pass = block_on(pass).expect("a pass");
        let parameters = [70, 9].map(|count| buffer(&vec![1.0; count]));
        let gradients = [70, 9].map(|count| buffer(&gradient(1, count)));
        let [a, b] = [0, 1].map(|k| AdamBuffers {
            parameters: parameters[k].slice(..),
            gradient: gradients[k].slice(..),
        });
        let adam = block_on(AdamPass::new(gpu(), &Adam::new(0.1), &[a, b], Some(&pass)));
        let adam = adam.expect("Adam");
        Self { parameters, gradients, predictions, sigma, pass, adam }
    }

    fn step(&self) {
        let mut encoder = gpu().device().create_command_encoder(&Default::default());
        self.pass.encode(&mut encoder);
        self.adam.encode(&mut encoder);
        gpu().queue().submit([encoder.finish()]);
    }

    /// All that training changes.
    fn bits(&self) -> Vec<Vec<u32>> {
        let own = self.parameters.iter().chain([&self.sigma]).chain(self.adam.state().split_off(1));
        own.map(|buffer| read(buffer).into_iter().map(f32::to_bits).collect()).collect()
    }

    /// Holds that the next step changes nothing, nor those after it, which have no fault.
    fn stops(&self, steps: u64, stop: AdamStop, mend: impl Fn(&Self)) {
        let before = self.bits();
        self.step();
        assert_eq!(progress(&self.adam), AdamProgress { steps, stop: Some(stop) });
        assert!(self.bits() == before, "{stop:?}: something was updated");
        mend(self);
        self.step();
        assert_eq!(progress(&self.adam), AdamProgress { steps, stop: Some(stop) });
        assert!(self.bits() == before, "{stop:?}: something was updated afterwards");
    }
}

impl Rig {
    /// Holds that it makes the step that it stopped before, once its clock's last two words say that nothing is wrong.
    fn goes_on(&self, steps: u64) {
        let going = bytemuck::cast_slice(&[0, u32::MAX]);
        gpu().queue().write_buffer(self.adam.state()[0], 16, going);
        let before = self.bits();
        self.step();
        assert_eq!(progress(&self.adam), AdamProgress { steps: steps + 1, stop: None });
        assert!(self.bits() != before, "nothing was updated");
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_named_and_changes_nothing() {
    // The last is finite, its square is not.
    for bad in [f32::NAN, f32::INFINITY, -1e30] {
        let rig = Rig::new(1.0);
        (0..4).for_each(|_| rig.step());
        write(&rig.gradients[1], 3, &[bad]);
        write(&rig.gradients[1], 7, &[bad]);
        let stop = AdamStop::Parameter { part: 1, element: 3 };
        rig.stops(4, stop, |rig| write(&rig.gradients[1], 0, &gradient(1, 9)));
        rig.goes_on(4);
    }
    let rig = Rig::new(1.0);
    write(&rig.gradients[0], 69, &[f32::NAN]);
    let stop = AdamStop::Parameter { part: 0, element: 69 };
    rig.stops(0, stop, |rig| write(&rig.gradients[0], 69, &[0.0]));
}

#[test]
fn a_total_that_is_not_finite_changes_nothing() {
    let rig = Rig::new(1.0);
    (0..2).for_each(|_| rig.step());
    write(&rig.predictions, 2, &[f32::NAN]);
    rig.stops(2, AdamStop::Total, |rig| write(&rig.predictions, 2, &[0.0]));
    rig.goes_on(2);
}

#[test]
fn a_sigma_whose_gradient_overflows_changes_nothing() {
    // A weight of 0.5e30 is finite, a slope of -1e45 is not.
    let rig = Rig::new(1e-15);
    rig.stops(0, AdamStop::Sigma { task: 0 }, |rig| write(&rig.sigma, 0, &[1e-15]));
}

#[test]
fn a_pass_by_itself_is_not_stopped_by_another() {
    let [parameters, slopes] = [buffer(&[1.0; 4]), buffer(&[1.0, f32::NAN, 1.0, 1.0])];
    let of = |first, count| {
        let own = AdamBuffers {
            parameters: part(&parameters, first, count),
            gradient: part(&slopes, first, count),
        };
        block_on(AdamPass::new(gpu(), &Adam::new(0.1), &[own], None)).expect("Adam")
    };
    let [one, other] = [of(0, 2), of(2, 2)];
    [&one, &other].into_iter().for_each(|adam| submit(adam, 3));
    assert_eq!(progress(&one).steps, 0);
    assert_eq!(progress(&other), AdamProgress { steps: 3, stop: None });
    let found = read(&parameters);
    assert_eq!(&found[..2], &[1.0, 1.0]);
    assert!(found[2] < 0.71 && found[3] < 0.71, "{found:?}");
}
