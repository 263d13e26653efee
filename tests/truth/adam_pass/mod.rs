//! Adam by itself, on a caller's buffers: against the reference's update in `f64`.

mod refused;
mod sigma;
mod stopped;

use crate::loss_pass::read;
use crate::support::{assert_close, gpu};
use awl::Adam;
use awl::optimizer::{AdamBuffers, AdamPass, AdamProgress, Group, Schedule};
use pollster::block_on;
use wgpu::util::DeviceExt;

/// A caller's buffer.
fn buffer(values: &[f32]) -> wgpu::Buffer {
    gpu().device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("the caller's"),
        contents: bytemuck::cast_slice(values),
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST,
    })
}

fn write(buffer: &wgpu::Buffer, first: usize, values: &[f32]) {
    gpu().queue().write_buffer(buffer, 4 * first as u64, bytemuck::cast_slice(values));
}

/// A part of a buffer, in elements.
fn part(buffer: &wgpu::Buffer, first: usize, count: usize) -> wgpu::BufferSlice<'_> {
    buffer.slice(4 * first as u64..4 * (first + count) as u64)
}

fn submit(adam: &AdamPass, steps: usize) {
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    (0..steps).for_each(|_| adam.encode(&mut encoder));
    gpu().queue().submit([encoder.finish()]);
}

fn progress(adam: &AdamPass) -> AdamProgress {
    block_on(adam.progress()).expect("progress")
}

/// A gradient that changes from step to step, sign and size.
fn gradient(step: usize, count: usize) -> Vec<f32> {
    let at = |i: usize| (1.0 + i as f32 * 0.37).sin() * 10f32.powi(i as i32 % 7 - 3);
    (0..count).map(|i| at(i) * (step as f32 * 0.7 + i as f32).cos()).collect()
}

/// One parameter on its way, in `f64`.
struct Twin {
    parameter: f64,
    moments: [f64; 2],
}

impl Twin {
    fn new(parameter: f32) -> Self {
        Self { parameter: parameter.into(), moments: [0.0; 2] }
    }

    fn go(&mut self, group: &Group, gradient: f64, step: usize) {
        let corrections = [group.betas.0, group.betas.1].map(|beta| 1.0 - beta.powi(step as i32));
        self.parameter = group.update(self.parameter, gradient, &mut self.moments, corrections);
    }
}

fn of(twins: &[Twin]) -> Vec<f64> {
    twins.iter().map(|twin| twin.parameter).collect()
}

fn groups() -> [Adam; 3] {
    let mut slow = Adam::new(0.03).weight_decay(0.1);
    (slow.network.betas, slow.network.epsilon) = ((0.7, 0.95), 1e-3);
    [Adam::new(0.01), Adam::new(0.02).weight_decay(0.25).decoupled(), slow]
}

#[test]
fn a_hundred_steps_are_those_of_the_reference() {
    for adam in groups() {
        for count in [1, 63, 64, 65, 1_000] {
            // Behind what does not belong to it, at no place that can be bound; and more behind it.
            let start: Vec<f32> = (0..count + 80).map(|i| (i as f32 * 0.61).sin()).collect();
            let parameters = buffer(&start);
            let slopes = buffer(&vec![f32::NAN; count + 70]);
            let own = AdamBuffers {
                parameters: part(&parameters, 67, count),
                gradient: part(&slopes, 5, count),
            };
            let pass = block_on(AdamPass::new(gpu(), &adam, &[own], None)).expect("Adam");
            assert_eq!(pass.dispatches(), 3);
            let mut twins: Vec<Twin> = start[67..][..count].iter().map(|p| Twin::new(*p)).collect();
            for step in 1..=100 {
                let slope = gradient(step, count);
                write(&slopes, 5, &slope);
                submit(&pass, 1);
                for (twin, slope) in twins.iter_mut().zip(slope) {
                    twin.go(&adam.network, slope.into(), step);
                }
            }
            assert_eq!(progress(&pass), AdamProgress { steps: 100, stop: None });
            let found = read(&parameters);
            let trained: Vec<f64> = found[67..][..count].iter().map(|&p| p.into()).collect();
            assert_close(&format!("{count}, {adam:?}"), &trained, &of(&twins), 2e-6);
            assert_eq!((&found[..67], &found[67 + count..]), (&start[..67], &start[67 + count..]));
        }
    }
}

#[test]
fn steps_of_one_submission_are_the_same_bits_and_a_schedule_scales_them() {
    let schedule = Schedule::cosine(8).warm_up(3);
    let adam = Adam::new(0.05);
    let slope = gradient(1, 100);
    let run = |scaled: bool, at_once: usize| {
        let [parameters, slopes] = [buffer(&[0.5; 100]), buffer(&slope)];
        let own = AdamBuffers { parameters: parameters.slice(..), gradient: slopes.slice(..) };
        let pass = block_on(AdamPass::new(gpu(), &adam, &[own], None)).expect("Adam");
        for step in 1..=10 / at_once {
            if scaled {
                pass.scale_learning_rates(schedule.factor(step as u64)).expect("a factor");
            }
            submit(&pass, at_once);
        }
        read(&parameters)
    };
    assert_eq!(run(false, 1), run(false, 10));
    let mut twins: Vec<Twin> = slope.iter().map(|_| Twin::new(0.5)).collect();
    for step in 1..=10 {
        let learning_rate = 0.05 * schedule.factor(step as u64);
        let group = Group { learning_rate, ..adam.network };
        for (twin, slope) in twins.iter_mut().zip(&slope) {
            twin.go(&group, f64::from(*slope), step);
        }
    }
    let found: Vec<f64> = run(true, 1).iter().map(|&p| p.into()).collect();
    assert_close("scheduled", &found, &of(&twins), 1e-6);
}

#[test]
fn a_copied_state_goes_on_bit_for_bit() {
    let adam = Adam::new(0.05);
    let make = |parameters: &wgpu::Buffer, slopes: &wgpu::Buffer| {
        let own = AdamBuffers { parameters: parameters.slice(..), gradient: slopes.slice(..) };
        block_on(AdamPass::new(gpu(), &adam, &[own], None)).expect("Adam")
    };
    let slopes = buffer(&gradient(1, 70));
    let one = buffer(&[0.5; 70]);
    let first = make(&one, &slopes);
    submit(&first, 7);
    let other = buffer(&read(&one));
    let second = make(&other, &slopes);
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    for (from, to) in first.state().into_iter().zip(second.state()) {
        encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
    }
    gpu().queue().submit([encoder.finish()]);
    submit(&first, 5);
    submit(&second, 5);
    assert_eq!(read(&one), read(&other));
    assert_eq!(progress(&second), AdamProgress { steps: 12, stop: None });
}
