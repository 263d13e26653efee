//! The fused loss pass on a caller's buffers, against the losses' formulas in `f64`.

mod case;
mod long;

pub use self::case::read;
use self::case::{Case, target};
use crate::support::gpu;
use awl::loss::{Labels, LossBuffers, LossPass, Sums, TaskLayout};
use awl::{AutomaticWeightedLoss, Error, Loss, SigmaForm, Task, Weighting};
use pollster::block_on;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use wgpu::util::DeviceExt;

fn weighted(classes: usize, smoothing: f32) -> Loss {
    let weights = (0..classes).map(|c| 0.5 + (c % 3) as f32).collect();
    Loss::CrossEntropy { label_smoothing: smoothing, class_weights: Some(weights) }
}

/// Losses, narrow and wide.
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
            let mut tasks = all_tasks();
            tasks.push(Task::new("quantile", Loss::Quantile { quantile: 0.9 }, 3));
            tasks.push(Task::new("poisson", Loss::Poisson, 2));
            Case::random(tasks, rows, 3.0, masked).is_right(if masked {
                "masked"
            } else {
                "whole"
            });
        }
    }
}

#[test]
fn rows_count_by_their_weights() {
    for rows in [1, 2, 33, 1_000, 20_011] {
        for masked in [false, true] {
            let case = Case::random(all_tasks(), rows, 3.0, masked).weighted();
            let words = Labels::pack(&case.tasks, &case.targets).expect("labels").layouts;
            assert_eq!(words[0].sample_weights, words[3].sample_weights, "shared");
            assert_ne!(words[3].sample_weights, words[4].sample_weights);
            case.is_right("weighted rows");
        }
    }
    let wide = vec![
        Task::new("classes", weighted(100, 0.1), 100),
        Task::new("numbers", Loss::Huber { delta: 1.0 }, 65),
    ];
    Case::random(wide, 77, 5.0, true).weighted().is_right("weighted wide rows");
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
fn the_logarithm_of_sigma_is_learned_alike() {
    let sigma = vec![0.01, 0.1, 0.5, 1.0, 1.5, 3.0, 30.0];
    for (rows, masked) in [(1, false), (77, true), (20_011, true)] {
        let mut case = Case::random(all_tasks(), rows, 3.0, masked);
        let awl = AutomaticWeightedLoss::starting_at(sigma.clone());
        case.weighting = awl.with_form(SigmaForm::log()).into();
        case.is_right("ln σ²");
    }
}

/// σ from a millionth to a million, and on the other side of 0; of a row, of rows without any label, and of some.
#[test]
fn sigma_is_right_from_a_millionth_to_a_million() {
    let sigma = [1e-6, -1e-6, 1e-3, 1.0, -30.0, 1e6, -1e6];
    let log = SigmaForm::Log { floor: 1e-6 };
    for (rows, masked) in [(1, false), (33, true)] {
        for form in [SigmaForm::Plain, log] {
            let mut case = Case::random(all_tasks(), rows, 3.0, masked);
            for k in [2, 5] {
                case.targets[k] =
                    case.targets[k].clone().labelled(vec![false; rows]).expect("a mask");
            }
            let sigma = sigma.map(|it| if form == log { f32::abs(it) } else { it });
            let awl = AutomaticWeightedLoss::starting_at(sigma.to_vec());
            case.weighting = awl.with_form(form).into();
            case.is_right(&format!("{form:?}"));
        }
    }
}

#[test]
fn given_weights_are_not_learned() {
    let mut case = Case::random(all_tasks(), 100, 2.0, true);
    case.weighting = Weighting::fixed(vec![0.0, 1.0, 2.0, 0.5, 3.0, 1.0, 1.0]);
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
    let refusal = |rows, predictions: &wgpu::Buffer, gradient: &wgpu::Buffer| {
        let buffers = LossBuffers {
            predictions: predictions.slice(..),
            labels: b.slice(..),
            sigma: c.slice(..),
            gradient: gradient.slice(..),
        };
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
fn parts_of_buffers_are_taken_from_where_they_start() {
    let case = Case::random(all_tasks(), 45, 2.0, true);
    let labels = Labels::pack(&case.tasks, &case.targets).expect("the targets fit");
    let (expected, slopes) = case.run(Sums::Repeatable);
    // What is read lies in one buffer, what is written behind something of the caller's.
    let mut words: Vec<u32> = vec![7; 64];
    let [first, second, third] = [
        &labels.words[..],
        bytemuck::cast_slice(&case.predictions),
        bytemuck::cast_slice(case.weighting.parameters()),
    ]
    .map(|part| {
        let start = 4 * words.len() as u64;
        words.extend(part);
        let end = 4 * words.len() as u64;
        words.resize(words.len().next_multiple_of(64), 7);
        start..end
    });
    let buffer = |contents: &[u8]| {
        gpu().device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("the caller's"),
            contents,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        })
    };
    let read_only = buffer(bytemuck::cast_slice(&words));
    let gradient = buffer(bytemuck::cast_slice(&vec![5f32; 128 + slopes.len() + 3]));
    let end = 4 * (128 + slopes.len() as u64);
    let part = |gradient| LossBuffers {
        labels: read_only.slice(first.clone()),
        predictions: read_only.slice(second.clone()),
        sigma: read_only.slice(third.clone()),
        gradient,
    };
    let make = |buffers| {
        block_on(LossPass::new(
            gpu(),
            &labels.layouts,
            45,
            &case.weighting,
            buffers,
            Sums::Repeatable,
        ))
    };
    let pass = make(part(gradient.slice(512..end))).expect("a pass");
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    pass.encode(&mut encoder);
    gpu().queue().submit([encoder.finish()]);
    assert_eq!(block_on(pass.read()).expect("results"), expected);
    let found = read(&gradient);
    assert_eq!(&found[128..][..slopes.len()], &slopes);
    assert_eq!((&found[..128], &found[128 + slopes.len()..]), (&[5.0; 128][..], &[5.0; 3][..]));
    let refusal = |gradient| make(part(gradient)).err().expect("a refusal").to_string();
    let odd = refusal(gradient.slice(4..end - 508));
    assert!(
        odd.contains("the gradient is bound from byte 4") && odd.contains("min_storage"),
        "{odd}"
    );
    let short = refusal(gradient.slice(512..end - 4));
    assert!(
        short.contains("elements of the buffer of the gradient is 1124, but must be 1125"),
        "{short}"
    );
    let same = refusal(read_only.slice(..4 * 1_125));
    assert!(same.contains("the predictions and the gradient are one buffer, or parts"), "{same}");
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
