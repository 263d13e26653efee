//! `awl bench --growth`: how a step's cost grows with the batch and with the width.

mod json;
mod plot;
mod text;

use super::{Arguments, Outcome, bar, engines, open, save};
use awl::bench::{Axis, Growth, growth};
use awl::{Gpu, Result};
use std::io;

/// All that a run found.
struct Report {
    gpu: Gpu,
    growths: Vec<Growth>,
}

/// Measures, and writes what was asked for.
pub fn run(arguments: &Arguments) -> Outcome {
    let made = pollster::block_on(measure(arguments));
    let report = made?;
    let mut out = io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => json::write(&mut out, &report),
        false => text::write(&mut out, &report),
    };
    arguments.plot.as_deref().map_or(Ok(()), |path| save(plot::svg(&report), path))
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let gpu = open(arguments).await?;
    let engines = engines(arguments);
    let bar = bar(Axis::ALL.len());
    let mut growths = Vec::new();
    for (axis, done) in Axis::ALL.into_iter().zip(0u64..) {
        bar.set_message(axis.name());
        let progress = |share: f64| bar.set_position(100 * done + (100.0 * share) as u64);
        progress(0.0);
        growths.push(growth(&gpu, axis, &engines, arguments.seconds, progress).await?);
    }
    bar.finish_and_clear();
    Ok(Report { gpu, growths })
}
