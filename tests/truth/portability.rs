//! One training run on this machine's adapter, held against `f64`: what `docs/portability.md` tabulates for every
//! driver. `cargo test --release --test truth portability -- --nocapture` prints the row of yours.

use crate::support::{Make, ON_GPU, gpu, reference, run, schedule, state_of};
use awl::bench::WORKLOADS;
use awl::engine::{Record, State};

const STEPS: usize = 50;

/// The seed's network, 50 steps of batch 256 over 1,024 shuffled rows.
fn trained(make: Make) -> (Record, State, &'static str) {
    let seed = WORKLOADS[0];
    let (recipe, data) = (seed.recipe().expect("a recipe"), seed.dataset().expect("a dataset"));
    let rows = data.rows();
    let mut engine = make(recipe, data);
    let records = run(engine.as_mut(), &schedule(seed.batch, rows, STEPS)).expect("the steps");
    let last = records.last().expect("a record").clone();
    (last, state_of(engine.as_mut()), engine.name())
}

/// The largest difference of two states' parameters, σ among them.
fn difference(a: &State, b: &State) -> f64 {
    let all =
        |state: &State| state.parameters.iter().chain(&state.sigma).copied().collect::<Vec<_>>();
    all(a).iter().zip(&all(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The losses of the tasks, of which each had a label.
fn losses(record: &Record) -> Vec<f64> {
    record.tasks.iter().map(|task| task.loss.expect("a label in every batch")).collect()
}

fn line(name: &str, record: &Record, state: &State, difference: f64) {
    let losses: Vec<_> = losses(record).iter().map(|loss| format!("{loss:.6}")).collect();
    let sigma: Vec<_> = state.sigma.iter().map(|sigma| format!("{sigma:.6}")).collect();
    println!("| {name} | {} | {} | {difference:.1e} |", losses.join(", "), sigma.join(", "));
}

#[test]
fn the_seed_is_trained_alike_on_every_driver() {
    let limits = gpu().device().limits();
    println!("{}", gpu().name());
    println!("features: {:?}", gpu().device().features());
    println!(
        "storage buffers a stage {}, bytes a binding {}, workgroup memory {}, invocations {}",
        limits.max_storage_buffers_per_shader_stage,
        limits.max_storage_buffer_binding_size,
        limits.max_compute_workgroup_storage_size,
        limits.max_compute_invocations_per_workgroup,
    );
    println!("| engine | losses of step {STEPS} | σ | parameters differ from f64's by |");
    println!("|---|---|---|--:|");
    let (record, truth, name) = trained(&reference);
    line(name, &record, &truth, 0.0);
    for (name, make) in ON_GPU {
        let (found, state, _) = trained(make);
        let apart = difference(&state, &truth);
        line(name, &found, &state, apart);
        // A parameter has moved by 50 steps of about 1e-3.
        assert!(apart < 1e-4, "{name}: a parameter is off by {apart:.1e}");
        for (found, expected) in losses(&found).iter().zip(losses(&record)) {
            let error = (found - expected).abs() / expected;
            assert!(error < 1e-4, "{name}: a loss is off by {error:.1e} of itself");
        }
    }
}
