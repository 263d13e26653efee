//! The formulas of the schemes by themselves, without an engine.

use super::weighting;
use crate::support::assert_each_close;
use awl::weighting::{Kind, Moment, SCHEMES, Setting, TaskStep};

/// The weights of losses 1, 2 and 4 in a run's first step; those of rlw are random.
const ROWS: &[(&str, [f64; 3])] = &[
    ("awl", [0.5, 0.5, 0.5]),
    ("equal", [1.0, 1.0, 1.0]),
    ("fixed", [1.0, 1.0, 1.0]),
    ("rlw", [f64::NAN; 3]),
    // ½e⁻ˢ at s = 0, e⁻ˢ of the third task, of classes.
    ("uncertainty", [0.5, 0.5, 1.0]),
    ("imtl-l", [1.0, 1.0, 1.0]),
    ("dwa", [1.0, 1.0, 1.0]),
    // 2/(L + √(L² + 8L)): 2/4, (√5 - 1)/4, 1/(2 + √12).
    ("awl-closed-form", [0.5, 0.309_016_994, 0.183_012_702]),
    ("uw-o", [1.0, 0.5, 0.25]),
    // The softmax of 1, ½ and ¼.
    ("uw-so", [0.481_024_263, 0.291_755_964, 0.227_219_773]),
    ("scale-invariant", [1.0, 0.5, 0.25]),
    // 2/(3 L)
    ("geometric", [2.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0]),
    ("stch", [1.0, 0.5, 0.25]),
    // (1/L)/1.75
    ("famo", [4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]),
];

#[test]
fn the_first_weights_are_those_of_the_formulas() {
    for scheme in SCHEMES.iter().copied() {
        let name = scheme.name();
        if scheme.kind() == Kind::Gradients {
            // weighting::gradients has tests of these.
            continue;
        }
        let row = ROWS.iter().find(|(of, _)| *of == name);
        let (_, expected) = row.unwrap_or_else(|| panic!("no row for {name}"));
        if expected[0].is_nan() {
            continue;
        }
        let weighting = weighting(scheme);
        let (parameters, memory) = weighting.begin([0, 0]);
        let tasks = [1.0, 2.0, 4.0].into_iter().zip(&parameters).zip(memory);
        let tasks: Vec<TaskStep> = tasks
            .map(|((loss, &weight), memory)| TaskStep { loss: Some(loss), weight, memory })
            .collect();
        let moment =
            Moment { settings: weighting.settings(), step: 1, ends_epoch: false, key: [0, 0] };
        let found = scheme.weigh(&moment, &tasks).unwrap_or_else(|| {
            parameters.iter().map(|&parameter| weighting.weight(parameter)).collect()
        });
        assert_each_close(name, &found, expected, 1e-6);
        assert_eq!(scheme.kind() == Kind::Losses, scheme.weigh(&moment, &tasks).is_some());
    }
    let without_gradients = SCHEMES.iter().filter(|it| it.kind() != Kind::Gradients);
    assert_eq!(ROWS.len(), without_gradients.count());
}

/// Epochs' means (1, 1), then (1, 4): 2·softmax((1, 4)/2).
#[test]
fn dwa_weighs_by_the_means_of_two_epochs() {
    let dwa = weighting(awl::weighting::find("dwa").expect("dwa"));
    let mut tasks = [TaskStep { loss: None, weight: 1.0, memory: [0.0; 4] }; 2];
    // Two batches an epoch, of which the second task has a label in one.
    let epochs = [[[0.5, 1.0], [1.5, f64::NAN]], [[1.0, 4.0], [1.0, 4.0]]];
    for (at, losses) in epochs.iter().flatten().enumerate() {
        for (task, &loss) in tasks.iter_mut().zip(losses) {
            task.loss = (!loss.is_nan()).then_some(loss);
        }
        assert_eq!(tasks.map(|task| task.weight), [1.0; 2]);
        let ends_epoch = at % 2 == 1;
        let moment =
            Moment { settings: dwa.settings(), step: at as u64 + 1, ends_epoch, key: [0; 2] };
        dwa.scheme().after(&moment, &mut tasks);
    }
    assert_each_close("dwa", &tasks.map(|it| it.weight), &[0.364_851_05, 1.635_148_95], 1e-8);
}

/// With nadirs of 1, heights are ln L, whose softmax is L/ΣL: every weight K/ΣL.
#[test]
fn stch_weighs_by_the_nadirs_once_it_has_them() {
    let stch = weighting(awl::weighting::find("stch").expect("stch"));
    let moment =
        |ends_epoch| Moment { settings: stch.settings(), step: 1, ends_epoch, key: [0; 2] };
    let task = |loss| TaskStep { loss: Some(loss), weight: 1.0, memory: [0.0; 4] };
    let mut tasks = [task(0.5), task(1.5), task(1.0)];
    stch.scheme().after(&moment(false), &mut tasks);
    tasks.iter_mut().zip([1.5, 0.5, 1.0]).for_each(|(task, loss)| task.loss = Some(loss));
    stch.scheme().after(&moment(true), &mut tasks);
    tasks.iter_mut().zip([1.0, 2.0, 4.0]).for_each(|(task, loss)| task.loss = Some(loss));
    let found = stch.scheme().weigh(&moment(false), &tasks).expect("weights");
    assert_each_close("stch", &found, &[3.0 / 7.0; 3], 1e-12);
    tasks.iter_mut().for_each(|task| task.loss = Some(1e30));
    let found = stch.scheme().weigh(&moment(false), &tasks).expect("weights");
    assert!(found.iter().all(|weight| weight.is_finite()), "{found:?}");
}

/// ξ falls where the loss fell least, by its learning rate in the first step; where none fell it stays.
#[test]
fn famo_follows_what_the_losses_did() {
    let famo = weighting(awl::weighting::find("famo").expect("famo"));
    let moment = Moment { settings: famo.settings(), step: 1, ends_epoch: false, key: [0; 2] };
    let mut tasks =
        [1.0, 2.0, 4.0].map(|loss| TaskStep { loss: Some(loss), weight: 1.0, memory: [0.0; 4] });
    famo.scheme().follow(&moment, &mut tasks, &[Some(1.0), Some(2.0), Some(4.0)]);
    assert_eq!(tasks.map(|task| task.memory[0]), [0.0; 3]);
    famo.scheme().follow(&moment, &mut tasks, &[Some(1.0), Some(1.0), Some(4.0)]);
    // J of the softmax at ⅓ each: δ - mean(δ), a third of it; Adam's second step of that gradient after one of 0.
    let first =
        |g: f64| 0.1 * g / 0.19 / ((0.001 * g * g / (1.0 - 0.999_f64.powi(2))).sqrt() + 1e-8);
    let fall = 2f64.ln();
    let gradients = [-fall / 9.0, 2.0 * fall / 9.0, -fall / 9.0];
    let expected = gradients.map(|gradient| -0.025 * first(gradient));
    assert_each_close("ξ", &tasks.map(|task| task.memory[0]), &expected, 1e-9);
}

/// The table of docs/choosing.md is that of the list.
#[test]
fn every_scheme_is_documented() {
    let docs = include_str!("../../../docs/choosing.md");
    let setting = |it: &Setting| format!("`{}` {}: {}", it.name, it.default as f32, it.summary);
    for scheme in SCHEMES {
        let knows = ["before", "losses", "gradients"][scheme.kind() as usize];
        let settings: Vec<String> = scheme.settings().iter().map(setting).collect();
        let [name, summary, source] = [scheme.name(), scheme.summary(), scheme.source()];
        let row =
            format!("| `{name}` | {summary} | {source} | {knows} | {} |", settings.join("; "));
        assert!(docs.contains(&row), "docs/choosing.md has no row\n{row}");
    }
}

/// Of the learned schemes: the parameter's gradient is that of what the task adds to the total.
#[test]
fn learned_parameters_go_down_the_total() {
    for scheme in SCHEMES.iter().copied() {
        let weighting = weighting(scheme);
        if !weighting.is_learned() {
            continue;
        }
        for (loss, parameter) in [(0.3, 0.8), (2.0, 1.7), (5.0, 0.4)] {
            let total = |at: f64| weighting.weight(at) * loss + weighting.regulariser(at);
            let step = 1e-6;
            let slope = (total(parameter + step) - total(parameter - step)) / (2.0 * step);
            let found = weighting.parameter_gradient(loss, parameter);
            assert_each_close(scheme.name(), &[found], &[slope], 1e-6);
        }
    }
}
