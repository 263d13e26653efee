//! Rounds of loops, of which a software driver allows an invocation only so many.
//!
//! Mesa's llvmpipe ends every loop of an invocation that has made 65,535 rounds in all its loops together, and says nothing:
//! sums come out short, parameters are not updated. So no dispatch is made without saying how many rounds its invocations
//! make at most ([`Work`]): one that is too long is refused there, and what is long is shared out among more workgroups
//! ([`Gpu::share_out`]). That no kernel makes more rounds than was said is counted in a test (`engine/rounds.rs`).
//!
//! The lanes of a vector go through all loops together, on both sides of every branch. So what counts is every loop of a
//! kernel, each with the rounds of the lane that makes the most, and the round in which it is found to be over; a loop on a
//! side that no lane takes makes that one too.

use super::Gpu;
use crate::error::{Error, Result};

/// The most rounds of an invocation, in all its loops together. The driver's own limit is 65,535.
pub(crate) const MOST_ROUNDS: usize = 60_000;

/// The most items, tiles of rows for instance, of which a workgroup adds something up: beyond these more workgroups are
/// faster, and a sum of `f32` loses digits.
const MOST_ITEMS: usize = 1_024;

/// Rounds of `sum_over` and `max_over` (`shaders/shared/reduction.wgsl`).
pub(crate) const REDUCTION: usize = 7;

/// What a dispatch asks of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// Workgroups.
    pub workgroups: usize,
    /// The most rounds that an invocation makes, in all its loops together.
    pub rounds: usize,
}

impl Work {
    /// This many workgroups, of a kernel whose loops are as long as that.
    pub fn new(workgroups: usize, rounds: usize) -> Self {
        Self { workgroups, rounds }
    }

    /// One invocation an element, of a kernel without loops.
    pub fn elements(count: usize) -> Self {
        Self::new(count.div_ceil(64), 0)
    }
}

/// Rounds of a loop that does something so many times, with so many rounds of other loops inside each: one more than that,
/// in which it finds that it is over.
pub(crate) const fn rounds_of(times: usize, inside: usize) -> usize {
    times.saturating_mul(1 + inside).saturating_add(1)
}

impl Gpu {
    /// Shares items out among workgroups, each of which takes every so-many-th in a loop: among `preferred`, or as many as it
    /// takes for none to go round more often than the driver allows. `inside` are the rounds that an item takes, `besides`
    /// those of all other loops.
    pub(crate) fn share_out(
        &self,
        items: usize,
        preferred: usize,
        inside: usize,
        besides: usize,
    ) -> Work {
        let most_items = match self.is_software() {
            true => (MOST_ROUNDS.saturating_sub(besides + 1) / (1 + inside)).clamp(1, MOST_ITEMS),
            false => MOST_ITEMS,
        };
        let workgroups = preferred.min(items).max(items.div_ceil(most_items)).max(1);
        Work::new(workgroups, besides + rounds_of(items.div_ceil(workgroups), inside))
    }

    /// Checks that the driver goes through with it.
    pub(super) fn check_work(&self, kernel: &str, work: Work) -> Result<()> {
        if self.is_software() && work.rounds > MOST_ROUNDS {
            return Err(Error::invalid(
                format!(
                    "the kernel \"{kernel}\" would go round its loops {} times, of which software drivers make no more than \
                     65,535",
                    work.rounds
                ),
                "use a smaller batch, fewer or narrower tasks, or narrower layers; or a GPU, which has no such limit",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{Buffer, kernels};

    #[test]
    fn a_dispatch_that_goes_round_too_often_is_refused_where_drivers_end_it() {
        let gpu = pollster::block_on(Gpu::new()).expect("an adapter");
        let buffers = ["factor", "gradient"].map(|label| Buffer::<f32>::zeros(&gpu, label, 1));
        let buffers = buffers.map(|buffer| buffer.expect("a buffer"));
        let bindings = buffers.each_ref().map(Buffer::binding);
        let kernel = gpu.kernel(&kernels::SCALE, &[]);
        let dispatch = |rounds| kernel.dispatch(&gpu, &bindings, Work::new(1, rounds)).map(drop);
        assert!(dispatch(MOST_ROUNDS).is_ok());
        match dispatch(MOST_ROUNDS + 1) {
            Ok(()) => assert!(!gpu.is_software()),
            Err(error) => {
                assert!(gpu.is_software(), "{error}");
                let message = error.to_string();
                assert!(
                    message.contains("unfused/scale") && message.contains("60001"),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn items_are_shared_out_so_that_no_workgroup_goes_round_too_often() {
        let gpu = pollster::block_on(Gpu::new()).expect("an adapter");
        for items in [0, 1, 5, 1_000, 70_000, 1 << 24] {
            for (preferred, inside, besides) in [(1, 0, 0), (256, 20, 300), (8, 30_000, 20_000)] {
                let work = gpu.share_out(items, preferred, inside, besides);
                let most = items.div_ceil(work.workgroups);
                assert!(work.rounds >= besides + most * (1 + inside), "{items}: {work:?}");
                assert!(most <= MOST_ITEMS, "{items}: {work:?}");
                assert!(!gpu.is_software() || work.rounds <= MOST_ROUNDS, "{items}: {work:?}");
            }
        }
        // No more than it takes.
        assert_eq!(gpu.share_out(1_000, 256, 1, 0).workgroups, 256);
        assert_eq!(gpu.share_out(100, 256, 1, 0).workgroups, 100);
    }
}
