//! A loss pass that is encoded again and again, in one submission or in several, gives the last pass's results alone.

use crate::support::{assert_each_close, gpu};
use awl::data::{Matrix, Target};
use awl::loss::{Labels, LossBuffers, LossPass, LossResults, Sums};
use awl::{AutomaticWeightedLoss, Loss, Task};
use pollster::block_on;
use wgpu::util::DeviceExt;

/// Rows of more than one workgroup.
const ROWS: usize = 300;

/// Two tasks' labels: the numbers 0, 1, 2, … and classes 0, 1, 2 in turn, every fifth missing.
fn labels() -> Labels {
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("class", Loss::cross_entropy(), 3)];
    let numbers = (0..ROWS).map(|row| row as f32 / 64.0).collect();
    let numbers = Target::numbers(Matrix::new(1, numbers).expect("a column"));
    let classes = Target::classes((0..ROWS as u32).map(|row| row % 3).collect());
    let classes = classes.labelled((0..ROWS).map(|row| row % 5 != 0).collect()).expect("a mask");
    Labels::pack(&tasks, &[numbers, classes]).expect("the targets fit")
}

/// What `encode` leaves, which is told the pass and the buffer of predictions, all 0 at first.
fn results(sums: Sums, encode: &dyn Fn(&LossPass, &wgpu::Buffer)) -> LossResults {
    let gpu = gpu();
    let labels = labels();
    let buffer = |contents: &[u8]| {
        gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("the caller's"),
            contents,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        })
    };
    let zeros = [0f32; 4 * ROWS];
    let [predictions, gradient] = [(); 2].map(|()| buffer(bytemuck::cast_slice(&zeros)));
    let words = buffer(bytemuck::cast_slice(&labels.words));
    let sigma = buffer(bytemuck::cast_slice(&[0.75f32, 1.5]));
    let buffers = LossBuffers {
        predictions: predictions.slice(..),
        labels: words.slice(..),
        sigma: sigma.slice(..),
        gradient: gradient.slice(..),
    };
    let weighting = AutomaticWeightedLoss::new(2).into();
    let pass = LossPass::new(gpu, &labels.layouts, ROWS, &weighting, buffers, sums);
    let pass = block_on(pass).expect("a pass");
    encode(&pass, &predictions);
    block_on(pass.read()).expect("results")
}

/// So many passes in one submission.
fn submit(pass: &LossPass, passes: usize) {
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    (0..passes).for_each(|_| pass.encode(&mut encoder));
    gpu().queue().submit([encoder.finish()]);
}

fn numbers(results: &LossResults) -> Vec<f64> {
    let LossResults { total, losses, weights, sigma_gradient } = results;
    let all = [&[*total][..], losses, weights, sigma_gradient].concat();
    all.into_iter().map(f64::from).collect()
}

/// By hand: predictions of 0 cost Σ (row/64)²/rows and ln 3.
fn expected() -> Vec<f64> {
    let squares: f64 = (0..ROWS).map(|row| (row as f64 / 64.0).powi(2)).sum();
    let losses = [squares / ROWS as f64, 3_f64.ln()];
    let sigma = [0.75_f64, 1.5];
    let weights = sigma.map(|s| 0.5 / (s * s));
    let each = |k: usize| weights[k] * losses[k] + (sigma[k] * sigma[k]).ln_1p();
    let slope = |k: usize| {
        let s = sigma[k];
        -losses[k] / s.powi(3) + 2.0 * s / (1.0 + s * s)
    };
    [&[each(0) + each(1)][..], &losses, &weights, &[slope(0), slope(1)]].concat()
}

#[test]
fn passes_in_one_submission_and_in_several_do_not_add_up() {
    for sums in [Sums::OneDispatch, Sums::Repeatable] {
        for passes in [1, 2, 5] {
            let found = results(sums, &|pass, _| submit(pass, passes));
            let case = format!("{sums:?}, {passes} passes in a submission");
            assert_each_close(&case, &numbers(&found), &expected(), 1e-5);
            let found = results(sums, &|pass, _| (0..passes).for_each(|_| submit(pass, 1)));
            let case = format!("{sums:?}, {passes} submissions");
            assert_each_close(&case, &numbers(&found), &expected(), 1e-5);
        }
    }
}

#[test]
fn a_pass_sees_what_the_buffers_hold_when_it_runs() {
    for sums in [Sums::OneDispatch, Sums::Repeatable] {
        // Other predictions first, whose losses are larger.
        let found = results(sums, &|pass, predictions| {
            let write = |value: f32| {
                let values = vec![value; 4 * ROWS];
                gpu().queue().write_buffer(predictions, 0, bytemuck::cast_slice(&values));
            };
            write(-40.0);
            submit(pass, 2);
            write(0.0);
            submit(pass, 1);
        });
        assert_each_close(&format!("{sums:?}"), &numbers(&found), &expected(), 1e-5);
    }
}
