//! Many networks at once: what a fleet costs beside one of its networks alone.
//!
//! One network alone is the same engine, a fleet of one, and takes turns with the fleet: N networks one after another take N times
//! as long. Members differ in their seeds.

use super::growth::{held, longest_step, too_long};
use super::turns::{Run, is_close, take_turns};
use super::{EngineCost, EngineKind, Spread, Workload};
use crate::data::Dataset;
use crate::engine::{GpuEngine, Record};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::memory::free_memory;

/// The fleets of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleets {
    /// The workload of every network.
    pub workload: Workload,
    /// One entry a number of networks, in the order asked for.
    pub sizes: Vec<FleetSize>,
}

/// A fleet of so many networks.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSize {
    /// Its networks.
    pub networks: usize,
    /// What it costs, or why it was not timed.
    pub cost: std::result::Result<FleetCost, String>,
}

/// What a fleet costs, beside one of its networks alone.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetCost {
    /// Its networks.
    pub networks: usize,
    /// All of them: a step is one of every network. Its kernels' times are of those networks that share dispatches with the first.
    pub fleet: EngineCost,
    /// One of them.
    pub alone: EngineCost,
    /// Steps of the networks in the time in which one after another makes one: the number of networks times the time that one
    /// alone takes over the fleet's, turn by turn.
    pub throughput: Spread,
}

impl FleetCost {
    /// Microseconds a step and network of the fleet.
    pub fn us_per_network(&self) -> Spread {
        self.fleet.us_per_step.over(self.networks)
    }
}

/// Times fleets of a workload's network, each beside one network alone for about `seconds` (five rounds at least); `progress` hears
/// of the share that is done.
///
/// A fleet is left out where a step of it would take longer than `seconds`, or than one second on a GPU, where the adapter cannot
/// hold it, and where the loss of its last network is not that of the same network alone.
///
/// # Errors
/// [`Invalid`](crate::Error::Invalid) for a fleet of none; those of [`GpuEngine::fleet`](crate::GpuEngine::fleet) and of training,
/// but for fleets that are too large.
pub async fn fleets(
    gpu: &Gpu,
    workload: Workload,
    networks: &[usize],
    seconds: f64,
    mut progress: impl FnMut(f64),
) -> Result<Fleets> {
    let data = workload.dataset()?;
    let mut fleets = Fleets { workload, sizes: Vec::new() };
    let count = networks.len() as f64;
    for (index, &networks) in networks.iter().enumerate() {
        let at = |share: f64| progress((index as f64 + share) / count);
        let cost = fleets.measure(gpu, &data, networks, seconds, at).await?;
        fleets.sizes.push(FleetSize { networks, cost });
    }
    Ok(fleets)
}

impl Fleets {
    /// The cost of a fleet, or why it had better not be timed.
    async fn measure(
        &self,
        gpu: &Gpu,
        data: &Dataset,
        networks: usize,
        seconds: f64,
        progress: impl FnMut(f64),
    ) -> Result<std::result::Result<FleetCost, String>> {
        let Some(last) = networks.checked_sub(1) else {
            return Err(Error::invalid("a fleet of no network", "time fleets of at least one"));
        };
        let started = async {
            let made = GpuEngine::fused(gpu, self.workload.member(last)?, data);
            Run::start(EngineKind::Fused, made, seconds / 2.0).await
        };
        let alone = match held(started.await)? {
            Ok(alone) => alone,
            Err(why) => return Ok(Err(why)),
        };
        let expected = 1e-6 * networks as f64 * self.us_per_network().unwrap_or(alone.warm_us);
        let why = too_long(expected, longest_step(gpu, seconds))
            .or_else(|| too_much(gpu, networks as u64, &alone, data));
        let timed = match why {
            Some(why) => Err(why),
            None => held(self.beside(gpu, data, networks, alone, seconds, progress).await)?,
        };
        Ok(timed.map_err(|why| format!("{why}; fewer networks may do")).and_then(|cost| cost))
    }

    /// The cost of a fleet beside one network alone, or why it is not to be trusted.
    async fn beside(
        &self,
        gpu: &Gpu,
        data: &Dataset,
        networks: usize,
        alone: Run,
        seconds: f64,
        progress: impl FnMut(f64),
    ) -> Result<std::result::Result<FleetCost, String>> {
        let members = (0..networks).map(|member| self.workload.member(member));
        let made = GpuEngine::fleet(gpu, members.collect::<Result<_>>()?, data);
        let fleet = Run::start(EngineKind::Fused, made, seconds / 2.0).await?;
        if let Some(why) = fault(fleet.first.as_ref(), alone.first.as_ref()) {
            return Ok(Err(why));
        }
        let mut runs = [fleet, alone];
        take_turns(&mut runs, seconds, progress).await?;
        let [fleet, alone] = runs;
        Ok(Ok(FleetCost {
            networks,
            throughput: throughput(networks, fleet.samples(), alone.samples()),
            fleet: fleet.finish().await?,
            alone: alone.finish().await?,
        }))
    }

    /// Microseconds a step and network of the last fleet that was timed.
    fn us_per_network(&self) -> Option<f64> {
        let mut timed = self.sizes.iter().rev().filter_map(|size| size.cost.as_ref().ok());
        timed.next().map(|cost| cost.us_per_network().median)
    }
}

/// The throughput of so many networks: of each turn the time that one alone takes for all of their steps over the fleet's.
fn throughput(networks: usize, fleet: &[f64], alone: &[f64]) -> Spread {
    let turns = fleet.iter().zip(alone);
    Spread::of(turns.map(|(fleet, alone)| networks as f64 * alone / fleet).collect())
}

/// What is wrong if the last network began otherwise in the fleet than alone: a fleet that passes members by must not be praised
/// for its speed.
fn fault(fleet: Option<&Record>, alone: Option<&Record>) -> Option<String> {
    let total = |record: Option<&Record>| record.map_or(f64::NAN, |record| record.total);
    let [found, expected] = [fleet, alone].map(total);
    (!is_close(found, expected)).then(|| {
        format!("the last network's first loss is {found} in the fleet and {expected} alone: a bug in awl or the driver")
    })
}

/// Why the machine had better not be asked for a fleet's buffers: a software adapter's are its own memory, and a system that has
/// none left ends programs rather than say so. By the buffers of one network, but for the features, which all share, and as much
/// again for what the host keeps.
fn too_much(gpu: &Gpu, networks: u64, alone: &Run, data: &Dataset) -> Option<String> {
    let shared = 4 * data.features().values().len() as u64;
    let needed = (2 * alone.gpu_bytes.saturating_sub(shared)).saturating_mul(networks);
    let free = free_memory().filter(|&free| gpu.is_software() && needed > free)?;
    Some(format!("about {needed} bytes would be needed, and {free} bytes of memory are free"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::WORKLOADS;
    use crate::engine::Recipe;

    #[test]
    fn throughput_is_told_turn_by_turn() {
        // A machine at half its speed in the second turn changes nothing.
        let spread = throughput(4, &[100.0, 200.0, 160.0], &[50.0, 100.0, 40.0]);
        assert_eq!(spread, Spread::of(vec![2.0, 2.0, 1.0]));
    }

    #[test]
    fn a_network_that_the_fleet_passes_by_is_a_fault() {
        let record = |total| Record { member: 0, step: 1, total, tasks: Vec::new() };
        let told = |fleet: Option<f64>, alone: f64| {
            fault(fleet.map(record).as_ref(), Some(&record(alone)))
        };
        assert_eq!(told(Some(4.0), 4.0), None);
        let why = told(Some(0.0), 4.5).expect("a fault");
        assert!(why.contains("0 in the fleet and 4.5 alone"), "{why}");
        assert!(told(None, 4.5).is_some() && told(Some(f64::NAN), 4.5).is_some());
    }

    #[test]
    fn networks_differ_in_their_seeds_alone() -> Result<()> {
        let [first, third] = [WORKLOADS[0].member(0)?, WORKLOADS[0].member(2)?];
        assert_eq!((first.seed, third.seed), (0, 2));
        assert_eq!(Recipe { seed: 0, ..third }, first);
        Ok(())
    }
}
