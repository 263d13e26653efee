//! How much goes into one submission: as much as fits into a bounded time.
//!
//! Systems reset a GPU that works on one submission for too long: Windows after 2 s, browsers and others after some more.

use std::time::Duration;

/// Learns from submissions how much the next one may carry.
///
/// It starts with one piece (a step, a block of rows), at most doubles from one submission to the next, and falls back at
/// once. So a submission takes more than [`BOUND`](Self::BOUND) only where the pieces became slower since the last
/// measurement, or where one piece alone takes longer: pieces are not split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    most: usize,
    next: usize,
}

impl Pace {
    /// What a submission should take at most: at ten times that, a GPU is not reset yet.
    pub const BOUND: Duration = Duration::from_millis(100);

    /// A pace of one piece a submission at first, and never more than this many.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), next: 1 }
    }

    /// Pieces that the next submission may carry.
    pub fn next(self) -> usize {
        self.next
    }

    /// Takes note of how long a submission of this many pieces took, by itself.
    pub fn learn(&mut self, count: usize, took: Duration) {
        let fit = Self::BOUND.as_nanos().saturating_mul(count as u128) / took.as_nanos().max(1);
        let fit = usize::try_from(fit).unwrap_or(usize::MAX).max(1);
        // A submission that carried less than it might says when to slow down, but not how much more would do.
        let most =
            if count < self.next { self.next } else { count.saturating_mul(2).min(self.most) };
        self.next = fit.min(most);
    }
}

/// Tells how long each of some submissions took by itself, though the next one waits behind it.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    /// When the last submission was done.
    done: Moment,
}

impl Stopwatch {
    /// Before the first submission.
    pub fn start() -> Self {
        Self { done: Moment::now() }
    }

    /// The time of a submission that is done just now: since it was submitted, or since the one before it was done if that
    /// was later. Where the host, once it had submitted, waits for the oldest submission first of all, this is never less
    /// than what the GPU took.
    pub fn done(&mut self, submitted: Moment) -> Duration {
        let now = Moment::now();
        let took = now.since(submitted).min(now.since(self.done));
        self.done = now;
        took
    }
}

/// A moment on the host's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    #[cfg(not(target_arch = "wasm32"))]
    at: std::time::Instant,
    /// Milliseconds.
    #[cfg(target_arch = "wasm32")]
    at: f64,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let at = std::time::Instant::now();
        // `Instant` panics in a browser.
        #[cfg(target_arch = "wasm32")]
        let at = js_sys::Date::now();
        Self { at }
    }

    /// The time from an earlier moment to this one.
    pub fn since(self, earlier: Self) -> Duration {
        #[cfg(not(target_arch = "wasm32"))]
        return self.at.saturating_duration_since(earlier.at);
        #[cfg(target_arch = "wasm32")]
        return Duration::from_micros((1e3 * (self.at - earlier.at)).max(0.0) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 256;

    /// What submissions carry where each piece takes this long, from a pace's start.
    fn carried(piece: Duration, submissions: usize) -> Vec<usize> {
        let mut pace = Pace::new(MOST);
        let carry = |_| {
            let count = pace.next();
            pace.learn(count, piece * count as u32);
            count
        };
        (0..submissions).map(carry).collect()
    }

    #[test]
    fn fast_pieces_double_to_the_most() {
        let counts = carried(Duration::from_micros(60), 11);
        assert_eq!(counts, [1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
        assert_eq!(carried(Duration::ZERO, 10)[9], MOST);
    }

    #[test]
    fn slow_pieces_stay_within_the_bound_also_while_growing() {
        assert_eq!(carried(Duration::from_millis(8), 7), [1, 2, 4, 8, 12, 12, 12]);
        for micros in [1, 390, 391, 1_000, 7_999, 49_999, 50_001, 100_000] {
            let piece = Duration::from_micros(micros);
            for count in carried(piece, 20) {
                assert!(piece * count as u32 <= Pace::BOUND, "{count} of {micros} us");
            }
        }
        // No piece is split, however long it takes.
        assert_eq!(carried(Duration::from_secs(3), 4), [1, 1, 1, 1]);
    }

    #[test]
    fn pieces_that_become_slower_shrink_the_next_submission_at_once() {
        let mut pace = Pace::new(MOST);
        for _ in 0..10 {
            pace.learn(pace.next(), Duration::from_micros(60) * pace.next() as u32);
        }
        assert_eq!(pace.next(), MOST);
        pace.learn(MOST, Duration::from_millis(1_000));
        assert_eq!(pace.next(), 25);
        // A short submission too.
        pace.learn(1, Duration::from_millis(50));
        assert_eq!(pace.next(), 2);
    }

    #[test]
    fn a_submission_that_was_cut_short_neither_grows_nor_caps_the_next() {
        let mut pace = Pace::new(MOST);
        for _ in 0..5 {
            pace.learn(pace.next(), Duration::from_millis(1));
        }
        assert_eq!(pace.next(), 32);
        pace.learn(3, Duration::from_micros(3));
        assert_eq!(pace.next(), 32);
    }
}
