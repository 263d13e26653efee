//! Which engine is faster, and whether a fleet is; where fused or the fleet is not, what is known of why.

use super::compare::{Comparison, EngineCost, EngineKind};
use super::fleet::FleetCost;
use super::loss_alone::LossCost;
use super::spread::Spread;

/// How the fused engine stands against the unfused one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes less time, by more than the runs' spread.
    Faster,
    /// Their middle halves overlap: the runs do not tell them apart.
    Same,
    /// It takes more time, by more than the runs' spread.
    Slower,
}

impl Standing {
    /// By the quartiles: one is faster where three quarters of its timings lie below three quarters of the other's.
    pub fn of(fused: &Spread, unfused: &Spread) -> Self {
        if fused.upper < unfused.lower {
            Self::Faster
        } else if fused.lower > unfused.upper {
            Self::Slower
        } else {
            Self::Same
        }
    }

    /// `faster`, `same` or `slower`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Same => "same",
            Self::Slower => "slower",
        }
    }
}

/// That fused is slower, and what is known of why: sentences without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slower {
    /// How much slower, in which programs.
    pub what: String,
    /// Which kernels take the time, or why that is not known.
    pub why: String,
}

impl std::fmt::Display for Slower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.what, self.why)
    }
}

/// All dispatches of a kernel in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelSum {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Its dispatches.
    pub dispatches: usize,
    /// Microseconds on the GPU's clock, together.
    pub us: f64,
}

/// Kernels that a sentence names.
const NAMED: usize = 3;

impl EngineCost {
    /// The GPU's time by kernel, the longest first; `None` without timestamps.
    pub fn by_kernel(&self) -> Option<Vec<KernelSum>> {
        let mut sums: Vec<KernelSum> = Vec::new();
        for it in self.kernels.as_ref()? {
            let us = it.time.as_secs_f64() * 1e6;
            match sums.iter_mut().find(|sum| sum.kernel == it.kernel) {
                Some(sum) => {
                    sum.dispatches += 1;
                    sum.us += us;
                }
                None => sums.push(KernelSum { kernel: it.kernel, dispatches: 1, us }),
            }
        }
        sums.sort_by(|a, b| b.us.total_cmp(&a.us));
        Some(sums)
    }

    /// The program and its dispatches, in words.
    fn program_in_words(&self) -> String {
        let dispatches = dispatches(self.dispatches_per_step);
        match self.steps_per_round {
            1 => format!("{} in {dispatches} a step", self.program),
            most => format!("{} in {dispatches} for up to {most} steps", self.program),
        }
    }

    /// GPU time a step, with the kernels that take most of it; `None` without timestamps.
    fn kernels_in_words(&self) -> Option<String> {
        let sums = self.by_kernel()?;
        let all: f64 = sums.iter().map(|sum| sum.us).sum();
        let named = sums.iter().take(NAMED).map(|sum| {
            format!("{} x {} {:.0} %", sum.kernel, sum.dispatches, 100.0 * sum.us / all)
        });
        let named = named.collect::<Vec<_>>().join(", ");
        Some(format!("{all:.0} us of GPU time a step ({named})"))
    }
}

impl Comparison {
    /// How fused stands against unfused, if both were asked for.
    pub fn standing(&self) -> Option<Standing> {
        let us = |kind| self.engine(kind).map(|cost| &cost.us_per_step);
        Some(Standing::of(us(EngineKind::Fused)?, us(EngineKind::Unfused)?))
    }

    /// Where fused is [slower](Standing::Slower): by how much, in which programs, and which kernels take the time.
    pub fn slower(&self) -> Option<Slower> {
        self.standing().filter(|it| *it == Standing::Slower)?;
        let [fused, unfused] = [EngineKind::Fused, EngineKind::Unfused].map(|it| self.engine(it));
        let (fused, unfused) = (fused?, unfused?);
        let told = fused.kernels_in_words().zip(unfused.kernels_in_words());
        Some(Slower {
            what: format!(
                "fused is slower here, {} unfused's time: {}, {}",
                times(1.0 / self.speedup()?),
                fused.program_in_words(),
                unfused.program_in_words()
            ),
            why: match told {
                Some((fused, unfused)) => format!("fused {fused}; unfused {unfused}"),
                None => UNTOLD.into(),
            },
        })
    }
}

impl LossCost {
    /// How the fused pass stands against the unfused one, if both were asked for.
    pub fn standing(&self) -> Option<Standing> {
        let us = |kind| self.pass(kind).map(|pass| &pass.us_per_pass);
        Some(Standing::of(us(EngineKind::Fused)?, us(EngineKind::Unfused)?))
    }

    /// Where the fused pass is [slower](Standing::Slower): by how much, and in how many dispatches.
    pub fn slower(&self) -> Option<Slower> {
        self.standing().filter(|it| *it == Standing::Slower)?;
        let count = |kind| self.pass(kind).map(|pass| pass.dispatches);
        Some(Slower {
            what: format!(
                "fused is slower here, {} unfused's time: {} a pass, unfused {}",
                times(1.0 / self.speedup()?),
                dispatches(count(EngineKind::Fused)?),
                count(EngineKind::Unfused)?
            ),
            why: "which kernels take the time is not measured for the loss pass alone".into(),
        })
    }
}

impl FleetCost {
    /// How the fleet stands against its networks one after another: faster, or slower, where three quarters of the turns found it
    /// so. One network is no fleet, and the same.
    pub fn standing(&self) -> Standing {
        match self.throughput {
            _ if self.networks == 1 => Standing::Same,
            Spread { lower, .. } if lower > 1.0 => Standing::Faster,
            Spread { upper, .. } if upper < 1.0 => Standing::Slower,
            _ => Standing::Same,
        }
    }

    /// That a fleet of two or more is not [faster](Standing::Faster) than one after another, and what is known of why, in words
    /// without a full stop.
    pub fn not_faster(&self) -> Option<String> {
        let is_told = self.networks > 1 && self.standing() != Standing::Faster;
        let Self { networks, fleet, alone, throughput } = self;
        let told = fleet.kernels_in_words().zip(alone.kernels_in_words());
        let kernels = match told {
            Some((fleet, alone)) => format!("the fleet {fleet}; one alone {alone}"),
            None => UNTOLD.into(),
        };
        is_told.then(|| {
            format!(
                "{networks} networks as a fleet are not faster than one after another, {:.2} times their throughput \
                 ({:.2} - {:.2}): {}, one alone {}; {kernels}",
                throughput.median,
                throughput.lower,
                throughput.upper,
                fleet.program_in_words(),
                alone.program_in_words()
            )
        })
    }
}

/// Why the kernels' times are not told.
const UNTOLD: &str = "which kernels take the time is not known: no timestamps here";

/// A ratio with the digits that tell it from 1.
fn times(ratio: f64) -> String {
    match ratio {
        ..1.01 => format!("{ratio:.4} times"),
        _ => format!("{ratio:.2} times"),
    }
}

fn dispatches(count: usize) -> String {
    format!("{count} dispatch{}", if count == 1 { "" } else { "es" })
}
