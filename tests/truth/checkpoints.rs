//! Checkpoints and weights in files: every bit comes back, PyTorch's names are there, and damage is told.

use crate::support::{assert_each_close, gpu, numbers, regression};
use awl::engine::{Engine, GpuEngine, Reference, State};
use awl::train::{Checkpoint, Trainer, Weights, check_whole};
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Dataset, Error, Matrix, Network, Recipe, SigmaForm,
    Weighting,
};
use pollster::block_on;
use safetensors::SafeTensors;
use serde_json::json;
use std::ops::ControlFlow;
use std::slice::from_ref;

fn recipe(weighting: impl Into<Weighting>) -> Recipe {
    let tasks = ["price", "size of it"].map(regression);
    let network = Network::new(3, &[4, 2], Activation::Tanh, &tasks).expect("a network");
    Recipe { batch: 2, ..Recipe::new(network, weighting, Adam::new(0.01)) }
}

fn data() -> Dataset {
    let features = (0..15).map(|i| (i as f32 * 0.7).sin()).collect();
    let features = Matrix::new(3, features).expect("whole rows");
    let targets = vec![numbers(&[1.0, -2.0, 0.5, 3.0, 0.25]), numbers(&[0.0, 1.0, 0.0, 1.0, 1.0])];
    Dataset::new(features, targets).expect("a dataset")
}

fn trained(recipe: &Recipe) -> State {
    let engine = block_on(GpuEngine::fused(gpu(), recipe.clone(), &data())).expect("an engine");
    let mut trainer = Trainer::new(engine);
    block_on(trainer.steps(7)).expect("seven steps");
    block_on(trainer.engine().state()).expect("the state")
}

#[test]
fn every_bit_of_a_checkpoint_comes_back_and_the_same_state_gives_the_same_bytes() {
    for recipe in [
        recipe(AutomaticWeightedLoss::new(2)),
        recipe(AutomaticWeightedLoss::new(2).with_form(SigmaForm::log())),
        recipe(Weighting::fixed(vec![1.0, 0.25])),
    ] {
        let state = trained(&recipe);
        let mut best = Weights::of(&state);
        best.parameters[0] = -0.0;
        for best in [None, Some(best)] {
            let checkpoint = Checkpoint::new(state.clone(), best, json!({"of": "mine", "b": 0.1}));
            let bytes = checkpoint.to_bytes(from_ref(&recipe)).expect("bytes");
            assert_eq!(bytes, checkpoint.to_bytes(from_ref(&recipe)).expect("bytes"));
            let back =
                Checkpoint::from_bytes("file", &bytes, from_ref(&recipe)).expect("a checkpoint");
            assert_eq!(back, checkpoint);
            assert_eq!(back.to_bytes(from_ref(&recipe)).expect("bytes"), bytes);
        }
    }
}

#[test]
fn numbers_that_f32_cannot_hold_are_kept_too() {
    let recipe = recipe(AutomaticWeightedLoss::new(2));
    let mut state = State::initial(&recipe);
    state.parameters[5] = std::f64::consts::PI;
    state.moments[3] = [1e-300, 1e-200];
    let checkpoint = Checkpoint::new(state, None, json!(null));
    let bytes = checkpoint.to_bytes(from_ref(&recipe)).expect("bytes");
    assert_eq!(
        Checkpoint::from_bytes("file", &bytes, from_ref(&recipe)).expect("a checkpoint"),
        checkpoint
    );
}

#[test]
fn training_goes_on_from_a_file_bit_for_bit() {
    goes_on_bit_for_bit(AutomaticWeightedLoss::new(2));
    goes_on_bit_for_bit(AutomaticWeightedLoss::new(2).with_form(SigmaForm::log()));
}

fn goes_on_bit_for_bit(awl: AutomaticWeightedLoss) {
    let recipe = recipe(awl);
    let make = || block_on(GpuEngine::fused(gpu(), recipe.clone(), &data())).expect("an engine");
    let mut whole = Trainer::new(make());
    let records = block_on(whole.steps(11)).expect("eleven steps");
    let checkpoint = Checkpoint::new(trained(&recipe), None, json!(null));
    let bytes = checkpoint.to_bytes(from_ref(&recipe)).expect("bytes");
    let back = Checkpoint::from_bytes("file", &bytes, from_ref(&recipe)).expect("a checkpoint");
    let mut resumed = Trainer::resume(make(), &back.members[0].state).expect("it fits");
    assert_eq!(block_on(resumed.steps(4)).expect("four steps"), records[7..]);
    let states = [&mut whole, &mut resumed]
        .map(|trainer| block_on(trainer.engine().state()).expect("the state"));
    assert_eq!(states[0], states[1]);
}

#[test]
fn weights_have_the_names_shapes_and_numbers_that_pytorch_expects() {
    let recipe = recipe(AutomaticWeightedLoss::starting_at(vec![0.5, 2.0]));
    let state = State::initial(&recipe);
    let bytes = Weights::of(&state).to_bytes(&recipe, &json!("notes")).expect("bytes");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let mut names: Vec<(String, Vec<usize>)> =
        file.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect();
    names.sort();
    let expected: [(&str, &[usize]); 9] = [
        ("awl.params", &[2]),
        ("heads.price.bias", &[1]),
        ("heads.price.weight", &[1, 2]),
        ("heads.size of it.bias", &[1]),
        ("heads.size of it.weight", &[1, 2]),
        ("trunk.0.bias", &[4]),
        ("trunk.0.weight", &[4, 3]),
        ("trunk.2.bias", &[2]),
        ("trunk.2.weight", &[2, 4]),
    ];
    assert_eq!(names, expected.map(|(name, shape)| (name.to_string(), shape.to_vec())));
    let sigma = file.tensor("awl.params").expect("σ").data().to_vec();
    assert_eq!(sigma, [0.5_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat());
    assert_eq!(Weights::read_notes("file", &bytes).expect("notes"), json!("notes"));
    assert_eq!(Weights::from_bytes("file", &bytes, &recipe).expect("weights"), Weights::of(&state));
}

/// A σ and its logarithm are never taken for each other: weights are converted, training states refused.
#[test]
fn a_file_of_the_other_form_is_converted_or_refused() {
    let start = || AutomaticWeightedLoss::starting_at(vec![0.5, -2.0]);
    let (plain, log) = (recipe(start()), recipe(start().with_form(SigmaForm::log())));
    let logarithms = [0.25_f64.ln(), 4_f64.ln()];
    for (from, to, name, expected) in [
        (&plain, &log, "awl.params", logarithms),
        (&log, &plain, "awl.log_sigma_squared", [0.5, 2.0]),
        (&log, &log, "awl.log_sigma_squared", logarithms),
        (&plain, &plain, "awl.params", [0.5, -2.0]),
    ] {
        let state = State::initial(from);
        let bytes = Weights::of(&state).to_bytes(from, &json!(null)).expect("bytes");
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let names = file.names().into_iter().filter(|name| name.starts_with("awl"));
        assert_eq!(names.collect::<Vec<_>>(), [name]);
        let weights = Weights::from_bytes("w", &bytes, to).expect("weights");
        assert_each_close(name, &weights.sigma, &expected, 1e-7);
        assert_eq!(weights.parameters, state.parameters);

        let checkpoint = Checkpoint::new(state, None, json!(null));
        let bytes = checkpoint.to_bytes(from_ref(from)).expect("bytes");
        let back = Checkpoint::from_bytes("w", &bytes, from_ref(to));
        if from == to {
            assert_eq!(back.expect("a checkpoint"), checkpoint);
            continue;
        }
        let error = back.expect_err("another form").to_string();
        for part in [name, "--sigma-form", "--init"] {
            assert!(error.contains(part), "{error}");
        }
    }
    // A σ that ran into 0 is raised to the floor, whichever form it comes from, and an engine takes it.
    let low = AutomaticWeightedLoss::starting_at(vec![1e-5, 1.0]);
    let lower = low.clone().with_form(SigmaForm::Log { floor: 1e-6 });
    for from in [recipe(low), recipe(lower)] {
        let mut state = State::initial(&from);
        let bytes = Weights::of(&state).to_bytes(&from, &json!(null)).expect("bytes");
        let weights = Weights::from_bytes("w", &bytes, &log).expect("weights");
        assert_each_close("the floor", &weights.sigma[..1], &[1e-4_f64.ln()], 1e-7);
        state = weights.put_into(&state);
        let mut engine =
            block_on(GpuEngine::fused(gpu(), log.clone(), &data())).expect("an engine");
        engine.load(&state).expect("at the floor");
    }
}

#[test]
fn a_file_that_is_cut_short_anywhere_is_refused() {
    let recipe = recipe(AutomaticWeightedLoss::new(2));
    let checkpoint = Checkpoint::new(State::initial(&recipe), None, json!(null));
    let bytes = checkpoint.to_bytes(from_ref(&recipe)).expect("bytes");
    for length in 0..bytes.len() {
        let error = Checkpoint::from_bytes("file", &bytes[..length], from_ref(&recipe))
            .expect_err("it is cut short");
        assert!(error.to_string().contains("cut short"), "{length}: {error}");
    }
}

/// A disk's blocks that come back as zeros, and bits that flip: nothing is taken for what was written.
#[test]
fn a_file_that_is_changed_anywhere_is_refused() {
    let recipe = recipe(AutomaticWeightedLoss::new(2));
    let state = trained(&recipe);
    let weights = Weights::of(&state);
    let checkpoint = Checkpoint::new(state, Some(weights.clone()), json!({"seconds": 12.5}));
    let bytes = checkpoint.to_bytes(from_ref(&recipe)).expect("bytes");
    let of_weights = weights.to_bytes(&recipe, &json!("notes")).expect("bytes");
    let hold = |place: usize, damaged: &[u8], whole: &[u8]| {
        if damaged == whole {
            return;
        }
        let error = match whole == bytes {
            true => Checkpoint::from_bytes("file", damaged, from_ref(&recipe)).err(),
            false => Weights::read_notes("file", damaged).err(),
        };
        let error = error.unwrap_or_else(|| panic!("byte {place} was not missed"));
        assert!(matches!(&error, Error::Tensors { file, .. } if file == "file"), "{error}");
        // Where the header says that there is none, a file has no checksum, as PyTorch's has none.
        if let Ok(found) = Weights::from_bytes("file", damaged, &recipe) {
            assert_eq!(found, weights, "byte {place}");
        }
    };
    for whole in [&bytes, &of_weights] {
        check_whole("file", whole).expect("it is whole");
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            hold(place, &damaged, whole);
        }
        for block in (0..whole.len()).step_by(512) {
            let mut damaged = whole.clone();
            damaged[block..whole.len().min(block + 512)].fill(0);
            hold(block, &damaged, whole);
        }
    }
    let error = check_whole("file", &[&bytes[..bytes.len() - 1], b"?"].concat());
    let error = error.expect_err("its last byte is another").to_string();
    assert!(error.starts_with("file: ") && error.contains("checksum"), "{error}");
}

/// What a file lacks or has too much is named, with the remedy.
#[test]
fn a_file_of_another_model_is_refused() {
    let recipe = recipe(AutomaticWeightedLoss::new(2));
    let bytes =
        Weights::of(&State::initial(&recipe)).to_bytes(&recipe, &json!(null)).expect("bytes");
    let with = |hidden: &[usize], tasks: &[&str]| {
        let tasks: Vec<_> = tasks.iter().map(|&name| regression(name)).collect();
        let network = Network::new(3, hidden, Activation::Tanh, &tasks).expect("a network");
        Recipe::new(network, Weighting::equal(tasks.len()), Adam::new(0.01))
    };
    let both = ["price", "size of it"];
    for (other, told) in [
        (
            with(&[5, 2], &both),
            "tensor \"trunk.0.weight\" has shape [4, 3], but the model needs [5, 3]",
        ),
        (with(&[4, 2, 2], &both), "it has no tensor \"trunk.4.weight\""),
        (with(&[4, 2], &["price", "weight"]), "it has no tensor \"heads.weight.weight\""),
        (
            with(&[4, 2], &["price"]),
            "no place for \"heads.size of it.bias\", \"heads.size of it.weight\"",
        ),
    ] {
        let error =
            Weights::from_bytes("w.safetensors", &bytes, &other).expect_err("another model");
        assert!(matches!(error, Error::Tensors { .. }), "{error}");
        let message = error.to_string();
        assert!(message.starts_with("w.safetensors: ") && message.contains(told), "{message}");
    }
    let error = Checkpoint::from_bytes("w.safetensors", &bytes, from_ref(&recipe))
        .expect_err("no checkpoint");
    assert!(error.to_string().contains("use --init"), "{error}");
}

#[test]
fn a_saved_trainer_goes_on_bit_for_bit_and_what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.safetensors");
    let awl = AutomaticWeightedLoss::new(2);
    let fleet = vec![recipe(awl.clone()), recipe(awl)];
    let engine = || block_on(GpuEngine::fleet(gpu(), fleet.clone(), &data())).expect("an engine");
    let mut trainer = Trainer::new(engine());
    // In the middle of an epoch, and over an older file.
    for steps in [2, 5] {
        block_on(trainer.steps(steps)).expect("steps");
        block_on(trainer.save(&path)).expect("a file");
    }
    let mut resumed = Trainer::load(engine(), &path).expect("a trainer");
    let on = |trainer: &mut Trainer<GpuEngine>| block_on(trainer.steps(4)).expect("steps");
    assert_eq!(on(&mut resumed), on(&mut trainer));
    let entries = std::fs::read_dir(folder.path()).expect("entries").count();
    assert_eq!(entries, 1, "nothing is left beside the file");

    let nowhere = folder.path().join("none/state.safetensors");
    let told = block_on(trainer.save(&nowhere)).expect_err("no such folder").to_string();
    assert!(told.contains("none/state.safetensors"), "{told}");
    let told = Trainer::load(engine(), &nowhere).err().expect("no such file").to_string();
    assert!(told.contains("none/state.safetensors"), "{told}");
    std::fs::write(&path, &std::fs::read(&path).expect("a file")[..200]).expect("cut short");
    let told = Trainer::load(engine(), &path).err().expect("damage").to_string();
    assert!(told.contains("state.safetensors"), "{told}");
}

#[test]
fn epochs_are_shown_whole_until_one_breaks_off() {
    let recipe = recipe(AutomaticWeightedLoss::new(2));
    let mut trainer = Trainer::new(Reference::new(recipe.clone(), data()).expect("an engine"));
    let mut seen = Vec::new();
    let made = block_on(trainer.each_epoch(9, |epoch, records| {
        seen.push((epoch, records.iter().map(|record| record.step).collect::<Vec<_>>()));
        if epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }));
    assert_eq!(made.expect("epochs"), 2);
    assert_eq!(seen, [(1, vec![1, 2, 3]), (2, vec![4, 5, 6])]);
    let none = block_on(trainer.each_epoch(0, |_, _| ControlFlow::Continue(())));
    assert_eq!(none.expect("none"), 0);
}
