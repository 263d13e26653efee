//! The median of a few timings, and how far they lie apart.

/// Timings of the same thing, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// A quarter of the timings are below.
    pub lower: f64,
    /// A quarter of the timings are above.
    pub upper: f64,
    /// How many there are.
    pub samples: usize,
}

impl Spread {
    /// The spread of these timings; of none, not a number.
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        Self {
            median: quantile(&samples, 0.5),
            lower: quantile(&samples, 0.25),
            upper: quantile(&samples, 0.75),
            samples: samples.len(),
        }
    }

    /// What each timing comes to for one of `count` things that it was of.
    pub fn over(&self, count: usize) -> Self {
        let [median, lower, upper] =
            [self.median, self.lower, self.upper].map(|time| time / count as f64);
        Self { median, lower, upper, samples: self.samples }
    }
}

/// Between the two sorted samples nearest to this share of them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = share * last as f64;
    let below = position as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn quartiles_are_those_of_numpy() {
        // numpy.percentile([9, 1, 4, 2], [25, 50, 75]) is [1.75, 3, 5.25].
        let spread = Spread::of(vec![9.0, 1.0, 4.0, 2.0]);
        assert_eq!(spread, Spread { median: 3.0, lower: 1.75, upper: 5.25, samples: 4 });
        assert_eq!(Spread::of(vec![7.0]).upper, 7.0);
        assert!(Spread::of(Vec::new()).median.is_nan());
        let over = Spread { median: 1.5, lower: 0.875, upper: 2.625, samples: 4 };
        assert_eq!(spread.over(2), over);
    }
}
