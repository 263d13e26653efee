//! Buffers that Adam by itself cannot take.

use super::{buffer, part};
use crate::support::{gpu, small_gpu};
use awl::loss::{Labels, LossBuffers, LossPass, Sums};
use awl::optimizer::{AdamBuffers, AdamPass};
use awl::{Adam, AutomaticWeightedLoss, Gpu, Loss, Matrix, Target, Task, Weighting};
use pollster::block_on;

fn refusal_on(
    gpu: &Gpu,
    adam: &Adam,
    parts: &[AdamBuffers<'_>],
    pass: Option<&LossPass>,
) -> String {
    let made = block_on(AdamPass::new(gpu, adam, parts, pass));
    made.err().map_or(String::new(), |error| error.to_string())
}

fn refusal(parts: &[AdamBuffers<'_>]) -> String {
    refusal_on(gpu(), &Adam::new(0.1), parts, None)
}

#[test]
fn buffers_that_do_not_fit_are_refused_with_the_remedy() {
    let [a, b, c] = [(); 3].map(|()| buffer(&[0.0; 200]));
    let of = |parameters, gradient| AdamBuffers { parameters, gradient };
    assert_eq!(refusal(&[of(part(&a, 0, 100), part(&b, 3, 100))]), "");
    let nothing = refusal(&[]);
    assert!(nothing.contains("nothing to update"), "{nothing}");
    let short = refusal(&[of(part(&a, 0, 100), part(&b, 0, 99))]);
    assert!(short.contains("the gradient of part 0 is 99, but must be 100"), "{short}");
    let same = refusal(&[of(part(&a, 0, 9), part(&a, 100, 9))]);
    assert!(same.contains("part 0 are one buffer") && same.contains("of its own"), "{same}");
    let twice = refusal(&[
        of(part(&a, 0, 100), part(&b, 0, 100)),
        of(part(&c, 0, 9), part(&b, 100, 9)),
        of(part(&a, 99, 9), part(&b, 110, 9)),
    ]);
    assert!(twice.contains("part 2 shares parameters with part 0"), "{twice}");
    for slice in [a.slice(2..10), a.slice(0..6), a.slice(4..4)] {
        let odd = refusal(&[of(slice, slice)]);
        assert!(odd.contains("part 0 has") && odd.contains("whole f32"), "{odd}");
    }
    let uniform = gpu().device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 36,
        usage: wgpu::BufferUsages::UNIFORM,
        mapped_at_creation: false,
    });
    let usage = refusal(&[of(part(&a, 0, 9), uniform.slice(..))]);
    assert!(usage.contains("the gradient of part 0") && usage.contains("STORAGE"), "{usage}");
    let hyper = refusal_on(gpu(), &Adam::new(-1.0), &[of(part(&a, 0, 9), part(&b, 0, 9))], None);
    assert!(hyper.contains("the learning rate is -1"), "{hyper}");
}

#[test]
fn a_binding_beyond_the_device_is_refused() {
    const MOST: u64 = 128 << 10;
    let gpu = small_gpu(MOST);
    let [parameters, gradient] = [(); 2].map(|()| {
        gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: MOST + 4,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    });
    let refusal = |range: std::ops::Range<u64>| {
        let own = AdamBuffers {
            parameters: parameters.slice(range.clone()),
            gradient: gradient.slice(range),
        };
        refusal_on(&gpu, &Adam::new(0.1), &[own], None)
    };
    assert_eq!(refusal(0..MOST), "");
    // What lies before it, as far as the last place that can be bound, is bound with it.
    let beyond = refusal(4..MOST + 4);
    assert!(beyond.contains("the parameters of part 0"), "{beyond}");
    assert!(beyond.contains("maxStorageBufferBindingSize"), "{beyond}");
}

#[test]
fn weights_that_nothing_learns_and_sigma_among_parameters_are_refused() {
    let task = [Task::new("y", Loss::Mse, 1)];
    let numbers = Target::numbers(Matrix::new(1, vec![1.0; 4]).expect("a matrix"));
    let labels = Labels::pack(&task, &[numbers]).expect("labels");
    let words = buffer(bytemuck::cast_slice(&labels.words));
    let [predictions, gradient, sigma] = [buffer(&[0.0; 4]), buffer(&[0.0; 4]), buffer(&[1.0; 9])];
    let pass = |weighting: Weighting| {
        let buffers = LossBuffers {
            predictions: predictions.slice(..),
            labels: words.slice(..),
            sigma: sigma.slice(..),
            gradient: gradient.slice(..),
        };
        let made = LossPass::new(gpu(), &labels.layouts, 4, &weighting, buffers, Sums::default());
        block_on(made).expect("a pass")
    };
    let adam = Adam::new(0.1);
    let fixed = refusal_on(gpu(), &adam, &[], Some(&pass(Weighting::equal(1))));
    assert!(fixed.contains("no optimizer learns the weights of equal"), "{fixed}");
    let own =
        |first| AdamBuffers { parameters: part(&sigma, first, 4), gradient: part(&gradient, 0, 4) };
    let learned = pass(AutomaticWeightedLoss::new(1).into());
    assert_eq!(refusal_on(gpu(), &adam, &[own(1)], Some(&learned)), "");
    let shared = refusal_on(gpu(), &adam, &[own(0)], Some(&learned));
    assert!(shared.contains("part 0 shares parameters with σ"), "{shared}");
}
