//! How a step's cost grows with the batch, and with the network's width.
//!
//! Every point is a workload of its own whose dataset is one batch, so that a million rows fit. Each of its steps is
//! therefore an epoch, and pays for an epoch's opening (the order of the rows and the normalisers, two dispatches).

use super::turns::{Run, take_turns};
use super::{EngineKind, Spread, Workload};
use crate::error::{Error, Result};
use crate::gpu::Gpu;

/// What grows from point to point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Rows of the batch, 64 to 1,048,576 by fours; two hidden layers of 32.
    Batch,
    /// Width of both hidden layers, 8 to 512 by twos; batch 1,024.
    Width,
}

impl Axis {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Batch, Self::Width];

    /// `batch` or `width`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Width => "width",
        }
    }

    /// The sizes, from small to large.
    pub fn sizes(self) -> Vec<usize> {
        match self {
            Self::Batch => (0..8).map(|power| 64 << (2 * power)).collect(),
            Self::Width => (0..7).map(|power| 8 << power).collect(),
        }
    }

    /// The workload at a size.
    pub fn workload(self, size: usize) -> Workload {
        let (batch, width) = match self {
            Self::Batch => (size, 32),
            Self::Width => (1024, size),
        };
        let (name, hidden) = (self.name(), [width, width]);
        Workload { name, features: 16, hidden, batch, batches: 1 }
    }
}

/// What a step costs one engine at one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowthPoint {
    /// Rows of the batch, or width: see [`Axis`].
    pub size: usize,
    /// The engine.
    pub engine: EngineKind,
    /// The workload at this size.
    pub workload: Workload,
    /// Microseconds a step, submission and collection of the records included.
    pub us_per_step: Spread,
}

impl GrowthPoint {
    /// Microseconds for each row of the batch.
    pub fn us_per_row(&self) -> f64 {
        self.us_per_step.median / self.workload.batch as f64
    }

    /// Nanoseconds for each multiplication and addition of the matrix products.
    pub fn ns_per_multiply_add(&self) -> f64 {
        1e3 * self.us_per_step.median / self.workload.multiply_adds() as f64
    }
}

/// An engine that was not timed at a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Rows of the batch, or width: see [`Axis`].
    pub size: usize,
    /// The engine.
    pub engine: EngineKind,
    /// Why, in words.
    pub why: String,
}

/// The cost of a step from the smallest size to the largest.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// What grows.
    pub axis: Axis,
    /// By size; where sizes are equal, in the order in which the engines were asked for.
    pub points: Vec<GrowthPoint>,
    /// What could not be timed, in the same order.
    pub left_out: Vec<LeftOut>,
}

impl Growth {
    /// This engine's points, by size.
    pub fn of(&self, engine: EngineKind) -> impl DoubleEndedIterator<Item = &GrowthPoint> {
        self.points.iter().filter(move |point| point.engine == engine)
    }

    /// How many times as long as at the engine's next smaller point a step takes; `None` at its smallest.
    pub fn ratio(&self, point: &GrowthPoint) -> Option<f64> {
        let before = self.of(point.engine).rfind(|before| before.size < point.size)?;
        Some(point.us_per_step.median / before.us_per_step.median)
    }

    /// Why an engine had better not be timed on a workload, by its largest point so far: a step is expected to take as
    /// many times as long as it has multiplications.
    fn too_long(&self, engine: EngineKind, workload: &Workload, seconds: f64) -> Option<String> {
        let last = self.of(engine).next_back()?;
        let expected = 1e-9 * last.ns_per_multiply_add() * workload.multiply_adds() as f64;
        let most = match engine {
            EngineKind::Fused => seconds,
            EngineKind::Unfused => seconds.min(MOST_UNFUSED),
        };
        too_long(expected, most)
    }

    fn leave_out(&mut self, size: usize, engine: EngineKind, why: String) {
        self.left_out.push(LeftOut { size, engine, why });
    }
}

/// Seconds that a step of the unfused engine may take; only the fused one is timed beyond.
const MOST_UNFUSED: f64 = 1.0;

/// Seconds that a step of any engine may take on a GPU.
const MOST_ON_GPU: f64 = 1.0;

/// Seconds that a step may take of those that all its timings may take: it is not split, and a GPU is reset that works on one
/// for too long.
pub(super) fn longest_step(gpu: &Gpu, seconds: f64) -> f64 {
    if gpu.is_software() { seconds } else { seconds.min(MOST_ON_GPU) }
}

/// Why a step that is expected to take so many seconds had better not be timed, where it may take no more than `most`.
pub(super) fn too_long(expected: f64, most: f64) -> Option<String> {
    let digits = digits(expected);
    (expected > most)
        .then(|| format!("a step would take about {expected:.digits$} s, and {most} s is the most"))
}

/// Decimals that show a positive number to two digits or more.
fn digits(value: f64) -> usize {
    (1.0 - value.log10().floor()).clamp(0.0, 9.0) as usize
}

/// Times a step of `engines` at every size of an axis, `seconds` a size, shared by the engines, which take turns (five
/// rounds at least); `progress` hears of the share that is done.
///
/// An engine is left out where a step would take longer than `seconds`, or than one second in the unfused engine or on a
/// GPU, where
/// the adapter cannot hold the workload, and where a step's loss is not that of its predictions.
///
/// # Errors
/// Those of [`GpuEngine::fused`](crate::GpuEngine::fused) and of training, but for workloads that are too large.
pub async fn growth(
    gpu: &Gpu,
    axis: Axis,
    engines: &[EngineKind],
    seconds: f64,
    mut progress: impl FnMut(f64),
) -> Result<Growth> {
    let mut growth = Growth { axis, points: Vec::new(), left_out: Vec::new() };
    let most = longest_step(gpu, seconds);
    let sizes = axis.sizes();
    let count = sizes.len() as f64;
    for (index, size) in sizes.into_iter().enumerate() {
        let workload = axis.workload(size);
        let mut timed = Vec::new();
        for &engine in engines {
            match growth.too_long(engine, &workload, most) {
                Some(why) => growth.leave_out(size, engine, why),
                None => timed.push(engine),
            }
        }
        let at = |share: f64| progress((index as f64 + share) / count);
        growth.measure(gpu, size, workload, &timed, seconds, at).await?;
    }
    Ok(growth)
}

impl Growth {
    async fn measure(
        &mut self,
        gpu: &Gpu,
        size: usize,
        workload: Workload,
        engines: &[EngineKind],
        seconds: f64,
        progress: impl FnMut(f64),
    ) -> Result<()> {
        if engines.is_empty() {
            return Ok(());
        }
        let data = workload.dataset()?;
        let mut runs = Vec::new();
        for &engine in engines {
            let share = seconds / engines.len() as f64;
            let started = async {
                let made = engine.engine(gpu, workload.recipe()?, &data);
                let mut run = Run::start(engine, made, share).await?;
                let fault = run.fault(&data).await?;
                Ok((run, fault))
            };
            match held(started.await)? {
                Ok((run, None)) => runs.push(run),
                Ok((_, Some(why))) | Err(why) => self.leave_out(size, engine, why),
            }
        }
        let turns = held(take_turns(&mut runs, seconds, progress).await)?;
        for run in runs {
            let engine = run.kind;
            match &turns {
                Ok(()) => {
                    let us_per_step = run.us_per_step();
                    self.points.push(GrowthPoint { size, engine, workload, us_per_step });
                }
                Err(why) => self.leave_out(size, engine, why.clone()),
            }
        }
        Ok(())
    }
}

/// Takes what an adapter cannot hold for an answer, not for an error.
pub(super) fn held<T>(result: Result<T>) -> Result<Result<T, String>> {
    match result {
        Err(error @ (Error::TooLarge { .. } | Error::OutOfMemory { .. })) => {
            // Drivers' words may have several lines.
            Ok(Err(error.to_string().replace('\n', " ")))
        }
        other => other.map(Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(axis: Axis, times: &[(usize, EngineKind, f64)]) -> Growth {
        let point = |&(size, engine, us): &(usize, EngineKind, f64)| GrowthPoint {
            size,
            engine,
            workload: axis.workload(size),
            us_per_step: Spread::of(vec![us]),
        };
        Growth { axis, points: times.iter().map(point).collect(), left_out: Vec::new() }
    }

    #[test]
    fn sizes_go_from_tiny_to_a_million_rows_and_to_width_512() {
        let batches = Axis::Batch.sizes();
        assert_eq!((batches[0], batches[1], batches[7], batches.len()), (64, 256, 1 << 20, 8));
        assert_eq!(Axis::Width.sizes(), [8, 16, 32, 64, 128, 256, 512]);
        let [batch, width] = [Axis::Batch.workload(64), Axis::Width.workload(64)];
        assert_eq!((batch.batch, batch.hidden), (64, [32, 32]));
        assert_eq!((width.batch, width.hidden), (1024, [64, 64]));
    }

    #[test]
    fn the_dataset_is_one_batch() -> Result<()> {
        let workload = Axis::Batch.workload(256);
        assert_eq!(workload.dataset()?.rows(), 256);
        workload.recipe()?.check(&workload.dataset()?)
    }

    #[test]
    fn costs_are_a_row_a_multiplication_and_against_the_point_before() {
        let times = [
            (64, EngineKind::Fused, 128.0),
            (64, EngineKind::Unfused, 500.0),
            (256, EngineKind::Fused, 384.0),
        ];
        let growth = grown(Axis::Batch, &times);
        assert_eq!(growth.points[0].us_per_row(), 2.0);
        // 64 rows x (3 x (16 x 32 + 32 x 32 + 32 x 11) - 16 x 32) multiplications
        assert_eq!(growth.points[0].ns_per_multiply_add(), 128_000.0 / 329_728.0);
        assert_eq!(growth.ratio(&growth.points[0]), None);
        assert_eq!(growth.ratio(&growth.points[1]), None);
        assert_eq!(growth.ratio(&growth.points[2]), Some(3.0));
    }

    #[test]
    fn steps_that_would_take_too_long_are_left_out() {
        let times = [(64, EngineKind::Fused, 3e5), (64, EngineKind::Unfused, 3e5)];
        let growth = grown(Axis::Batch, &times);
        // Four times the rows: 1.2 s.
        let next = Axis::Batch.workload(256);
        assert_eq!(growth.too_long(EngineKind::Fused, &next, 10.0), None);
        let why = growth.too_long(EngineKind::Unfused, &next, 10.0).expect("a reason");
        assert!(why.contains("1.2 s") && why.contains("1 s is the most"), "{why}");
        let why = growth.too_long(EngineKind::Fused, &next, 0.5).expect("a reason");
        assert!(why.contains("0.5 s is the most"), "{why}");
        let first = grown(Axis::Batch, &[]);
        assert_eq!(first.too_long(EngineKind::Unfused, &next, 0.001), None);
    }

    #[test]
    fn only_what_does_not_fit_is_an_answer() {
        let too_large = Error::OutOfMemory { message: "first\nsecond".into() };
        let why = held::<()>(Err(too_large)).expect("an answer").expect_err("a reason");
        assert!(why.contains("first second"), "{why}");
        let lost = Error::DeviceLost { message: "gone".into() };
        assert!(held::<()>(Err(lost)).is_err());
    }
}
