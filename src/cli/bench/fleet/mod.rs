//! `awl bench --fleet`: many networks at once beside one of them alone.

mod json;
mod text;

use super::{Arguments, Outcome, Plan, bar, open, refuse_loss_pass};
use crate::cli::failure::Failure;
use awl::bench::{FleetSize, Fleets, fleets};
use awl::{Gpu, Result};
use std::io;

/// All that a run found.
struct Report {
    gpu: Gpu,
    fleets: Vec<Fleets>,
}

/// A number of networks.
pub fn networks(text: &str) -> std::result::Result<usize, String> {
    match text.trim().parse() {
        Ok(networks) if networks > 0 => Ok(networks),
        _ => Err("give whole numbers of networks from 1, such as 1,2,8,64".into()),
    }
}

/// Measures, and writes what was asked for.
pub fn run(arguments: &Arguments) -> Outcome {
    refuse_loss_pass(arguments, "--fleet")?;
    let made = pollster::block_on(measure(arguments));
    let report = made?;
    if let Some(why) = nothing_timed(&report.fleets) {
        return Err(Failure::Run(why));
    }
    let mut out = io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => json::write(&mut out, &report.gpu, &report.fleets),
        false => text::write(&mut out, &report.gpu.name(), &report.fleets),
    };
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let gpu = open(arguments).await?;
    let Plan { workloads, .. } = Plan::new(arguments);
    let mut networks = arguments.fleet.clone();
    networks.sort_unstable();
    networks.dedup();
    let bar = bar(workloads.len());
    let mut made = Vec::new();
    for (workload, done) in workloads.into_iter().zip(0u64..) {
        bar.set_message(format!("fleets of {}", workload.name));
        let progress = |share: f64| bar.set_position(100 * done + (100.0 * share) as u64);
        progress(0.0);
        made.push(fleets(&gpu, workload, &networks, arguments.seconds, progress).await?);
    }
    bar.finish_and_clear();
    Ok(Report { gpu, fleets: made })
}

/// Fleets that were not timed: the workload's name, how many networks, and why.
fn left_out(fleets: &Fleets) -> impl Iterator<Item = (&'static str, usize, &String)> {
    let name = fleets.workload.name;
    let sizes = fleets.sizes.iter();
    sizes.filter_map(move |size| Some((name, size.networks, size.cost.as_ref().err()?)))
}

/// Why there is nothing to tell, if no fleet was timed.
fn nothing_timed(fleets: &[Fleets]) -> Option<String> {
    let is_timed = |size: &FleetSize| size.cost.is_ok();
    let told = |(name, networks, why)| format!("{name}, {networks} networks: {why}");
    let nothing = !fleets.iter().flat_map(|it| &it.sizes).any(is_timed);
    nothing.then(|| fleets.iter().flat_map(left_out).map(told).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::tests::cost;
    use awl::bench::{EngineKind, FleetCost, Spread, WORKLOADS};

    /// Fleets of `seed` whose network alone takes 100 us a step, and so many of which took this long; and one that did not fit.
    pub fn seeds(timed: &[(usize, f64)]) -> Fleets {
        let cost = |us, gpu_bytes| cost(EngineKind::Fused, us, gpu_bytes);
        let size = |&(networks, us): &(usize, f64)| FleetSize {
            networks,
            cost: Ok(FleetCost {
                networks,
                fleet: cost(us, 1_500_000),
                alone: cost(100.0, 250_000),
                throughput: Spread::of(vec![networks as f64 * 100.0 / us; 5]),
            }),
        };
        let mut sizes: Vec<_> = timed.iter().map(size).collect();
        sizes.push(FleetSize { networks: 4096, cost: Err("the GPU ran out of memory".into()) });
        Fleets { workload: WORKLOADS[0], sizes }
    }

    #[test]
    fn only_whole_numbers_from_1_are_numbers_of_networks() {
        assert_eq!(["1", "4096", " 8"].map(networks), [Ok(1), Ok(4096), Ok(8)]);
        for bad in ["0", "-1", "2.5", "", "many", "99999999999999999999999"] {
            let told = networks(bad).expect_err(bad);
            assert!(told.contains("from 1"), "{told}");
        }
    }

    #[test]
    fn nothing_is_told_only_where_no_fleet_was_timed() {
        assert_eq!(nothing_timed(&[seeds(&[]), seeds(&[(2, 100.0)])]), None);
        let why = nothing_timed(&[seeds(&[])]).expect("a reason");
        assert_eq!(why, "seed, 4096 networks: the GPU ran out of memory");
    }
}
