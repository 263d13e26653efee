//! Benchmarks: what a training step costs on this adapter, how near that is to the adapter's limit, how it grows, and what many
//! networks cost at once.
//!
//! Engines are timed in turn (A B A B …) in one process, so that a machine that slows down slows all of them; what
//! is reported is the median with its quartiles. Times are wall-clock, submission and collection of the records
//! included: what a user waits. Where fused turns out slower, that is said, with what is known of why.

mod ceilings;
mod compare;
mod fleet;
mod growth;
mod loss_alone;
mod loss_passes;
mod plan;
mod spread;
mod standing;
mod turns;
mod workload;

pub use self::ceilings::Ceilings;
pub use self::compare::{Comparison, EngineCost, EngineKind, compare};
pub use self::fleet::{FleetCost, FleetSize, Fleets, fleets};
pub use self::growth::{Axis, Growth, GrowthPoint, LeftOut, growth};
pub use self::loss_alone::{CLASSES, LossCost, PassCost, loss_alone};
pub use self::loss_passes::LossPasses;
pub use self::plan::{PlannedStep, StepPlan, plan};
pub use self::spread::Spread;
pub use self::standing::{KernelSum, Slower, Standing};
pub use self::workload::{WORKLOADS, Workload};
