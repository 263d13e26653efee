//! The fused loss pass on a caller's buffers, against the losses' formulas in `f64`.

use crate::support::{assert_close, assert_each_close, gpu};
use awl::data::{Matrix, Target, Values};
use awl::loss::{Labels, LossBuffers, LossPass, LossResults, Sums, TaskLayout};
use awl::{AutomaticWeightedLoss, Error, Loss, Task, Weighting};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use wgpu::util::DeviceExt;

struct Case {
    tasks: Vec<Task>,
    targets: Vec<Target>,
    weighting: Weighting,
    /// Side by side, `[rows, Σ widths]`.
    predictions: Vec<f32>,
    rows: usize,
}

/// What a pass gives: its results, and the gradient at every prediction.
type Outcome = (LossResults, Vec<f32>);

impl Case {
    /// Random predictions of this spread; every third label missing where `masked` says so.
    fn random(tasks: Vec<Task>, rows: usize, spread: f32, masked: bool) -> Self {
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

    fn run(&self, sums: Sums) -> Outcome {
        let labels = Labels::pack(&self.tasks, &self.targets).expect("the targets fit");
        self.run_with(&labels.layouts, &labels.words, &self.predictions, sums).expect("a pass")
    }

    fn run_with(
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
            predictions: &predictions,
            labels: &labels,
            sigma: &sigma,
            gradient: &gradient,
        };
        let pass =
            block_on(LossPass::new(gpu, layouts, self.rows, &self.weighting, buffers, sums))?;
        assert_eq!(pass.dispatches(), if sums == Sums::OneDispatch { 1 } else { 2 });
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        pass.encode(&mut encoder);
        gpu.queue().submit([encoder.finish()]);
        let results = block_on(pass.read())?;
        Ok((results, read(&gradient)))
    }

    /// The same in `f64`, by the formulas of one row at a time.
    fn expected(&self) -> (LossResults, Vec<f64>) {
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
                sum += row_loss(task, target, row, &logits, slopes);
                normaliser += match target.values() {
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
    fn columns(&self, k: usize, values: &[f64]) -> Vec<f64> {
        let stride: usize = self.tasks.iter().map(|task| task.width).sum();
        let first: usize = self.tasks[..k].iter().map(|task| task.width).sum();
        let row = |row: &[f64]| row[first..first + self.tasks[k].width].to_vec();
        values.chunks(stride).flat_map(row).collect()
    }

    fn is_right(&self, case: &str) {
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

fn target(task: &Task, rows: usize, masked: bool, random: &mut ChaCha8Rng) -> Target {
    let target = if task.loss.predicts_class() {
        let class = |_| (random.random::<f32>() * task.width as f32) as u32;
        Target::classes((0..rows).map(class).collect())
    } else {
        let number = |_| random.random::<f32>();
        let numbers = (0..rows * task.width).map(number).collect();
        Target::numbers(Matrix::new(task.width, numbers).expect("a matrix"))
    };
    let mask = (0..rows).map(|row| !masked || row % 3 != 1).collect();
    target.labelled(mask).expect("a mask")
}

fn read(buffer: &wgpu::Buffer) -> Vec<f32> {
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

fn weighted(classes: usize, smoothing: f32) -> Loss {
    let weights = (0..classes).map(|c| 0.5 + (c % 3) as f32).collect();
    Loss::CrossEntropy { label_smoothing: smoothing, class_weights: Some(weights) }
}

/// Every loss, narrow and wide.
fn all_tasks() -> Vec<Task> {
    vec![
        Task::new("mse", Loss::Mse, 1),
        Task::new("mae", Loss::Mae, 3),
        Task::new("huber", Loss::Huber { delta: 0.7 }, 2),
        Task::new("bce", Loss::Bce, 5),
        Task::new("plain", Loss::cross_entropy(), 4),
        Task::new("weighted", weighted(7, 0.0), 7),
        Task::new("smoothed", weighted(3, 0.1), 3),
    ]
}

#[test]
fn every_loss_is_right_at_every_number_of_rows() {
    for rows in [1, 2, 31, 32, 33, 63, 64, 65, 1_000, 20_011] {
        for masked in [false, true] {
            Case::random(all_tasks(), rows, 3.0, masked).is_right(if masked {
                "masked"
            } else {
                "whole"
            });
        }
    }
}

#[test]
fn wide_tasks_share_their_rows_among_lanes() {
    for classes in [17, 64, 65, 1_000] {
        let tasks = vec![
            Task::new("plain", Loss::cross_entropy(), classes),
            Task::new("smoothed", weighted(classes, 0.1), classes),
            Task::new("numbers", Loss::Mse, classes),
        ];
        Case::random(tasks, 77, 5.0, true).is_right(&format!("{classes} columns"));
    }
}

#[test]
fn logits_of_ten_thousand_are_stable() {
    let tasks = vec![
        Task::new("bce", Loss::Bce, 3),
        Task::new("narrow", Loss::cross_entropy(), 5),
        Task::new("wide", weighted(1_000, 0.1), 1_000),
    ];
    Case::random(tasks, 50, 1e4, false).is_right("logits up to ±10,000");
}

#[test]
fn given_weights_are_not_learned() {
    let mut case = Case::random(all_tasks(), 100, 2.0, true);
    case.weighting = Weighting::Fixed(vec![0.0, 1.0, 2.0, 0.5, 3.0, 1.0, 1.0]);
    case.is_right("given weights");
    let (found, _) = case.run(Sums::OneDispatch);
    assert_eq!(found.sigma_gradient, [0.0; 7]);
}

#[test]
fn repeatable_sums_give_the_same_bits() {
    let case = Case::random(all_tasks(), 50_000, 3.0, true);
    let first = case.run(Sums::Repeatable);
    for _ in 0..5 {
        assert_eq!(first, case.run(Sums::Repeatable));
    }
}

#[test]
fn predictions_may_lie_task_after_task() {
    let case = Case::random(all_tasks(), 45, 2.0, true);
    let labels = Labels::pack(&case.tasks, &case.targets).expect("the targets fit");
    let (results, gradient) = case
        .run_with(&labels.layouts, &labels.words, &case.predictions, Sums::Repeatable)
        .expect("a pass");
    let stride: usize = case.tasks.iter().map(|task| task.width).sum();
    let mut layouts = labels.layouts.clone();
    let mut predictions = Vec::new();
    let mut moved = Vec::new();
    for layout in &mut layouts {
        let first = layout.prediction as usize;
        let width = layout.width as usize;
        (layout.prediction, layout.prediction_stride) = (predictions.len() as u32, layout.width);
        for row in 0..case.rows {
            predictions.extend(&case.predictions[row * stride + first..][..width]);
            moved.extend(&gradient[row * stride + first..][..width]);
        }
    }
    let found =
        case.run_with(&layouts, &labels.words, &predictions, Sums::Repeatable).expect("a pass");
    assert_eq!(found, (results, moved));
}

#[test]
fn a_million_rows_are_right() {
    let tasks = vec![Task::new("y", Loss::Mse, 1), Task::new("class", Loss::cross_entropy(), 3)];
    Case::random(tasks, 1_000_000, 2.0, true).is_right("large");
}

#[test]
fn buffers_that_are_too_short_are_refused() {
    let case = Case::random(all_tasks(), 45, 2.0, true);
    let labels = Labels::pack(&case.tasks, &case.targets).expect("the targets fit");
    let run = |layouts: &[TaskLayout], words: &[u32], predictions: &[f32]| {
        case.run_with(layouts, words, predictions, Sums::OneDispatch)
            .expect_err("a refusal")
            .to_string()
    };
    let layouts = &labels.layouts;
    let short = run(layouts, &labels.words[..labels.words.len() - 1], &case.predictions);
    assert!(short.contains("the buffer of the labels"), "{short}");
    let short = run(layouts, &labels.words, &case.predictions[..100]);
    assert!(
        short.contains(
            "the number of elements of the buffer of the predictions is 100, but must be 1125"
        ),
        "{short}"
    );
    let none = run(&[], &labels.words, &case.predictions);
    assert!(none.contains("no tasks"), "{none}");
    let mut odd = layouts.clone();
    odd[2].width = 0;
    let odd = run(&odd, &labels.words, &case.predictions);
    assert!(odd.contains("task 2 has width 0"), "{odd}");
    let error = Labels::pack(&case.tasks, &case.targets[1..]).expect_err("a target is missing");
    assert!(matches!(error, Error::Mismatch { found: 6, expected: 7, .. }), "{error}");
}

#[test]
fn layouts_that_overlap_are_refused() {
    let case = Case::random(all_tasks(), 45, 2.0, true);
    let labels = Labels::pack(&case.tasks, &case.targets).expect("the targets fit");
    let refusal = |change: fn(&mut [TaskLayout])| {
        let mut layouts = labels.layouts.clone();
        change(&mut layouts);
        let sums = Sums::OneDispatch;
        let outcome = case.run_with(&layouts, &labels.words, &case.predictions, sums);
        outcome.expect_err("a refusal").to_string()
    };
    let narrow = refusal(|layouts| layouts[2].prediction_stride = layouts[2].width - 1);
    assert!(narrow.contains("task 2") && narrow.contains("prediction_stride"), "{narrow}");
    let shared = refusal(|layouts| layouts[1].prediction = layouts[0].prediction);
    assert!(shared.contains("tasks 0 and 1 share"), "{shared}");
    // The last column of the first task is the first of the second.
    let touching = refusal(|layouts| layouts[1].prediction -= 1);
    assert!(touching.contains("tasks 0 and 1 share"), "{touching}");
}

#[test]
fn buffers_that_cannot_be_bound_are_refused() {
    let task = [Task::new("y", Loss::Mse, 1)];
    let labels =
        Labels::pack(&task, &[target(&task[0], 4, false, &mut ChaCha8Rng::seed_from_u64(0))])
            .expect("they fit");
    let buffer = |usage| {
        gpu().device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage,
            mapped_at_creation: false,
        })
    };
    let [a, b, c, d] = [(); 4].map(|()| buffer(wgpu::BufferUsages::STORAGE));
    let uniform = buffer(wgpu::BufferUsages::UNIFORM);
    let refusal = |rows, predictions, gradient| {
        let buffers = LossBuffers { predictions, labels: &b, sigma: &c, gradient };
        let awl = AutomaticWeightedLoss::new(1).into();
        let sums = Sums::OneDispatch;
        let pass = LossPass::new(gpu(), &labels.layouts, rows, &awl, buffers, sums);
        block_on(pass).err().map_or(String::new(), |error| error.to_string())
    };
    assert_eq!(refusal(4, &a, &d), "");
    let usage = refusal(4, &uniform, &d);
    assert!(usage.contains("predictions") && usage.contains("BufferUsages::STORAGE"), "{usage}");
    let same = refusal(4, &a, &a);
    assert!(same.contains("predictions and the gradient are one buffer"), "{same}");
    let same = refusal(4, &a, &c);
    assert!(same.contains("sigma and the gradient are one buffer"), "{same}");
    for rows in [0, 1 << 32] {
        let error = refusal(rows, &a, &d);
        assert!(error.contains(&format!("{rows} rows")), "{error}");
    }
}

#[test]
fn bits_of_a_mask_after_the_last_row_do_not_count() {
    let case = Case::random(all_tasks(), 45, 2.0, true);
    let labels = Labels::pack(&case.tasks, &case.targets).expect("the targets fit");
    let run = |words: &[u32]| {
        case.run_with(&labels.layouts, words, &case.predictions, Sums::Repeatable).expect("a pass")
    };
    let mut stray = labels.words.clone();
    for layout in &labels.layouts {
        // 45 rows take a word and 13 bits of the next.
        stray[layout.mask as usize + 1] |= !0 << 13;
    }
    assert_eq!(run(&labels.words), run(&stray));
}
