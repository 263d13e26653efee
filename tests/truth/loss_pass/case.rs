//! A case of the loss pass, and what it comes to in `f64`.

use crate::support::{assert_close, assert_each_close, gpu};
use awl::data::{Matrix, Target, Values};
use awl::loss::{Labels, LossBuffers, LossPass, LossResults, NONE, Sums, TaskLayout};
use awl::{AutomaticWeightedLoss, Loss, Task, Weighting};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use wgpu::util::DeviceExt;

pub struct Case {
    pub tasks: Vec<Task>,
    pub targets: Vec<Target>,
    pub weighting: Weighting,
    /// Side by side, `[rows, Σ widths]`.
    pub predictions: Vec<f32>,
    pub rows: usize,
}

/// What a pass gives: its results, and the gradient at every prediction.
pub type Outcome = (LossResults, Vec<f32>);

impl Case {
    /// Random predictions of this spread; every third label missing where `masked` says so.
    pub fn random(tasks: Vec<Task>, rows: usize, spread: f32, masked: bool) -> Self {
        let random = &mut ChaCha8Rng::seed_from_u64(rows as u64);
        let targets = tasks.iter().map(|task| target(task, rows, masked, random)).collect();
        let stride: usize = tasks.iter().map(|task| task.width).sum();
        let sigma = (0..tasks.len()).map(|k| 0.5 + 0.4 * k as f32).collect();
        Self {
            predictions: (0..rows * stride)
                .map(|_| spread * (2.0 * random.random::<f32>() - 1.0))
                .collect(),
            weighting: AutomaticWeightedLoss::starting_at(sigma).into(),
            targets,
            tasks,
            rows,
        }
    }

    /// The same with weights of the rows, some of them 0, which the first tasks share.
    pub fn weighted(mut self) -> Self {
        let weights =
            |k: usize| (0..self.rows).map(move |row| ((5 * row + 3 * k) % 7) as f32 / 3.0);
        for (k, target) in self.targets.iter_mut().enumerate() {
            let weights: Vec<f32> = weights(k.saturating_sub(3)).collect();
            *target = target.clone().weighted(weights).expect("a weight a row");
        }
        self
    }

    pub fn run(&self, sums: Sums) -> Outcome {
        let labels = Labels::pack(&self.tasks, &self.targets).expect("the targets fit");
        self.run_with(&labels.layouts, &labels.words, &self.predictions, sums).expect("a pass")
    }

    pub fn run_with(
        &self,
        layouts: &[TaskLayout],
        labels: &[u32],
        predictions: &[f32],
        sums: Sums,
    ) -> awl::Result<Outcome> {
        let gpu = gpu();
        let buffer = |contents: &[u8]| {
            gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("the caller's"),
                contents,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
            })
        };
        let [labels, sigma] =
            [bytemuck::cast_slice(labels), bytemuck::cast_slice(self.weighting.parameters())]
                .map(buffer);
        let [predictions, gradient] =
            [predictions; 2].map(|values| buffer(bytemuck::cast_slice(values)));
        let buffers = LossBuffers {
            predictions: predictions.slice(..),
            labels: labels.slice(..),
            sigma: sigma.slice(..),
            gradient: gradient.slice(..),
        };
        let pass =
            block_on(LossPass::new(gpu, layouts, self.rows, &self.weighting, buffers, sums))?;
        assert_eq!(pass.dispatches(), dispatches(layouts, self.rows, sums));
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        pass.encode(&mut encoder);
        gpu.queue().submit([encoder.finish()]);
        let results = block_on(pass.read())?;
        Ok((results, read(&gradient)))
    }

    /// The same in `f64`, by the formulas of one row at a time.
    pub fn expected(&self) -> (LossResults, Vec<f64>) {
        let stride: usize = self.tasks.iter().map(|task| task.width).sum();
        let mut gradient = vec![0.0; self.rows * stride];
        let mut results =
            LossResults { total: 0.0, losses: vec![], weights: vec![], sigma_gradient: vec![] };
        let mut total = 0.0;
        let mut first = 0;
        for ((task, target), &sigma) in
            self.tasks.iter().zip(&self.targets).zip(self.weighting.parameters())
        {
            let sigma = f64::from(sigma);
            let weight = self.weighting.weight(sigma);
            let (mut sum, mut normaliser) = (0.0, 0.0);
            for row in (0..self.rows).filter(|&row| target.has_label(row)) {
                let at = row * stride + first;
                let logits: Vec<f64> =
                    self.predictions[at..at + task.width].iter().map(|&p| p.into()).collect();
                let slopes = &mut gradient[at..at + task.width];
                let own = f64::from(target.sample_weight(row));
                sum += own * row_loss(task, target, row, &logits, slopes);
                slopes.iter_mut().for_each(|slope| *slope *= own);
                normaliser += own
                    * match target.values() {
                        Values::Classes(classes) => {
                            task.loss.row_weight(task.width, Some(classes[row]))
                        }
                        Values::Numbers(_) => task.loss.row_weight(task.width, None),
                    };
            }
            let loss = if normaliser > 0.0 { sum / normaliser } else { 0.0 };
            for row in 0..self.rows {
                for slope in &mut gradient[row * stride + first..][..task.width] {
                    *slope *= if normaliser > 0.0 { weight / normaliser } else { 0.0 };
                }
            }
            let labelled = normaliser > 0.0;
            total += if labelled { weight * loss + self.weighting.regulariser(sigma) } else { 0.0 };
            results.losses.push(loss as f32);
            results.weights.push(weight as f32);
            let slope = if labelled { self.weighting.parameter_gradient(loss, sigma) } else { 0.0 };
            results.sigma_gradient.push(slope as f32);
            first += task.width;
        }
        results.total = total as f32;
        (results, gradient)
    }

    /// A task's columns of something of the predictions' shape.
    pub fn columns(&self, k: usize, values: &[f64]) -> Vec<f64> {
        let stride: usize = self.tasks.iter().map(|task| task.width).sum();
        let first: usize = self.tasks[..k].iter().map(|task| task.width).sum();
        let row = |row: &[f64]| row[first..first + self.tasks[k].width].to_vec();
        values.chunks(stride).flat_map(row).collect()
    }

    pub fn is_right(&self, case: &str) {
        let (expected, gradient) = self.expected();
        for sums in [Sums::OneDispatch, Sums::Repeatable] {
            let case = format!("{case}, {} rows, {sums:?}", self.rows);
            let (found, found_gradient) = self.run(sums);
            let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
            let each = [
                ("total", wide(&[found.total]), wide(&[expected.total])),
                ("losses", wide(&found.losses), wide(&expected.losses)),
                ("weights", wide(&found.weights), wide(&expected.weights)),
            ];
            for (what, found, expected) in each {
                assert_each_close(&format!("{case}, {what}"), &found, &expected, 1e-5);
            }
            for k in 0..self.tasks.len() {
                let case = format!("{case}, task {k}");
                let slopes = [found.sigma_gradient[k], expected.sigma_gradient[k]].map(f64::from);
                // Regulariser and loss pull σ apart: what is left is judged by the larger of the two.
                let pull = self
                    .weighting
                    .parameter_gradient(0.0, f64::from(self.weighting.parameters()[k]));
                let error = (slopes[0] - slopes[1]).abs();
                let scale = slopes[1].abs().max(pull.abs());
                assert!(error <= 1e-5 * scale, "{case}: σ gradient {slopes:?} (found, expected)");
                let found = self.columns(k, &wide(&found_gradient));
                let expected = self.columns(k, &gradient);
                assert_close(&format!("{case}, gradient"), &found, &expected, 1e-5);
            }
        }
    }
}

/// Dispatches of a pass: the rows, their sums in a fixed order, and what the losses are divided by where that is not the number
/// of rows: of many rows in shares, which are added up.
fn dispatches(layouts: &[TaskLayout], rows: usize, sums: Sums) -> usize {
    let varies = layouts
        .iter()
        .any(|task| task.mask != NONE || task.class_weights != NONE || task.sample_weights != NONE);
    let normalisers = match varies {
        true if rows > 16_384 => 2,
        true => 1,
        false => 0,
    };
    normalisers + 1 + usize::from(sums == Sums::Repeatable)
}

fn row_loss(task: &Task, target: &Target, row: usize, logits: &[f64], slopes: &mut [f64]) -> f64 {
    match target.values() {
        Values::Classes(classes) => task.loss.class_row(logits, classes[row], slopes),
        Values::Numbers(matrix) => {
            let mut sum = 0.0;
            for ((p, t), slope) in logits.iter().zip(matrix.row(row)).zip(slopes) {
                let (value, derivative) = task.loss.element(*p, f64::from(*t));
                sum += value;
                *slope = derivative;
            }
            sum
        }
    }
}

pub fn target(task: &Task, rows: usize, masked: bool, random: &mut ChaCha8Rng) -> Target {
    let target = if task.loss.predicts_class() {
        let class = |_| (random.random::<f32>() * task.width as f32) as u32;
        Target::classes((0..rows).map(class).collect())
    } else {
        // Counts, of which many are 0.
        let is_count = task.loss == Loss::Poisson;
        let number = |_| match random.random::<f32>() {
            number if is_count => (3.0 * number).floor(),
            number => number,
        };
        let numbers = (0..rows * task.width).map(number).collect();
        Target::numbers(Matrix::new(task.width, numbers).expect("a matrix"))
    };
    let mask = (0..rows).map(|row| !masked || row % 3 != 1).collect();
    target.labelled(mask).expect("a mask")
}

pub fn read(buffer: &wgpu::Buffer) -> Vec<f32> {
    let gpu = gpu();
    let copy = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some("copy"),
        size: buffer.size(),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &copy, 0, buffer.size());
    gpu.queue().submit([encoder.finish()]);
    copy.map_async(wgpu::MapMode::Read, .., |result| result.expect("the buffer maps"));
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
    bytemuck::pod_collect_to_vec(&copy.get_mapped_range(..).expect("a mapped range"))
}
