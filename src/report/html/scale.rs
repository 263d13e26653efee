//! Axes: from values to places, round numbers to label them with, and how a number is written.

/// Maps values to places along an axis.
pub(super) struct Scale {
    low: f64,
    high: f64,
    /// Where `low` and `high` are drawn.
    places: [f64; 2],
    is_log: bool,
    /// Whether only whole numbers have a label.
    is_whole: bool,
}

impl Scale {
    /// An axis of counts from the lowest to the highest.
    pub(super) fn counts(values: impl Iterator<Item = f64>) -> Self {
        let [low, high] = ends(values);
        Self { is_whole: true, ..Self::between(low, high) }
    }

    /// A logarithmic axis if the values are positive and far apart, else a linear one; a little longer than the values.
    pub(super) fn fitting(values: impl Iterator<Item = f64>) -> Self {
        let [low, high] = ends(values);
        let is_log = low > 0.0 && high / low > 20.0;
        let mut scale = Self { is_log, ..Self::between(low, high) };
        let margin = 0.05 * (scale.plain(high) - scale.plain(low));
        let stretched = [scale.plain(low) - margin, scale.plain(high) + margin];
        [scale.low, scale.high] = stretched.map(|end| if is_log { 10f64.powf(end) } else { end });
        if low >= 0.0 && scale.low < 0.0 {
            scale.low = 0.0;
        }
        scale
    }

    /// A linear axis, a little longer than the values.
    pub(super) fn fitting_linear(values: impl Iterator<Item = f64>) -> Self {
        let [low, high] = ends(values);
        let margin = 0.05 * (high - low);
        Self::between(low - margin, high + margin)
    }

    /// From `low` to `high`, as they are.
    pub(super) fn between(low: f64, high: f64) -> Self {
        Self { low, high, places: [0.0, 1.0], is_log: false, is_whole: false }
    }

    /// The same, drawn from one place to another; without this from 0 to 1.
    pub(super) fn onto(self, places: [f64; 2]) -> Self {
        Self { places, ..self }
    }

    /// The lowest and the highest value on it.
    pub(super) fn ends(&self) -> [f64; 2] {
        [self.low, self.high]
    }

    /// Whether equal distances are equal ratios.
    pub(super) fn is_log(&self) -> bool {
        self.is_log
    }

    /// Where a value is drawn.
    pub(super) fn at(&self, value: f64) -> f64 {
        let [from, to] = self.places;
        let [low, high, value] = [self.low, self.high, value].map(|value| self.plain(value));
        from + (value - low) / (high - low) * (to - from)
    }

    /// Round values along the axis, about `count` of them.
    pub(super) fn ticks(&self, count: usize) -> Vec<f64> {
        if self.is_log {
            return self.log_ticks(count);
        }
        let step = round_step((self.high - self.low) / count as f64);
        let step = if self.is_whole { step.max(1.0) } else { step };
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step * (1.0 + 1e-12)).floor() as i64;
        (first..=last).map(|index| index as f64 * step).collect()
    }

    /// Powers of ten, with 2 and 5 between them where there are few, and only some of them where there are many.
    fn log_ticks(&self, count: usize) -> Vec<f64> {
        let [first, last] = [self.low.log10().floor() as i32, self.high.log10().ceil() as i32];
        let every = ((last - first) as usize).div_ceil(count.max(1)).max(1);
        let factors: &[f64] = if last - first <= 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let powers = (first..=last).step_by(every).map(|power| 10f64.powi(power));
        let all = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
        all.filter(|tick| (self.low..=self.high).contains(tick)).collect()
    }

    fn plain(&self, value: f64) -> f64 {
        if self.is_log { value.log10() } else { value }
    }
}

/// The lowest and highest finite value, never the same.
fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let values = values.filter(|value| value.is_finite());
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low < high {
        return [low, high];
    }
    let middle = if low.is_finite() { low } else { 0.0 };
    let margin = if middle == 0.0 { 1.0 } else { 0.1 * middle.abs() };
    [middle - margin, middle + margin]
}

/// The least of 1, 2, 5, 10, 20, … (or 0.1, 0.2, …) that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    power * factors.into_iter().find(|factor| factor * power >= least).unwrap_or(10.0)
}

/// A number for people: four digits that count, thousands apart, no needless zeros; `1.2e-7` where it is far from 1.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".into();
    }
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return minus(&format!("{:e}", digits(value)));
    }
    let decimals = if size >= 1000.0 || size == 0.0 {
        0
    } else {
        (3 - size.log10().floor() as i32).clamp(0, 7) as usize
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    minus(&format!("{}{dot}{fraction}", grouped(whole)))
}

/// A figure between 0 and 1, or R²: three decimals, so that figures below each other can be compared.
pub(super) fn fraction(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "–".into(),
        size if size >= 1000.0 => number(value),
        // No minus before what is written as 0.
        size if size < 5e-4 => "0.000".into(),
        _ => minus(&format!("{value:.3}")),
    }
}

/// A share of 1 in percent.
pub(super) fn percent(share: f64) -> String {
    minus(&format!("{:.1} %", 100.0 * share))
}

/// Rounded to three digits that count.
fn digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// The digits of a whole number with a narrow space between thousands, from 10,000 on.
fn grouped(whole: &str) -> String {
    let digits = whole.trim_start_matches('-');
    let sign = &whole[..whole.len() - digits.len()];
    if digits.len() < 5 {
        return whole.into();
    }
    let first = digits.len() % 3;
    let mut parts = vec![&digits[..first]];
    parts.extend((first..digits.len()).step_by(3).map(|start| &digits[start..start + 3]));
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{sign}{}", parts.join("\u{202f}"))
}

/// With a minus that is as wide as a plus.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.5, "−0.5"),
            (0.31234, "0.3123"),
            (0.00012346, "0.0001235"),
            (2.7391e-6, "2.74e−6"),
            (312.44, "312.4"),
            (1999.6, "2000"),
            (-43_210.9, "−43\u{202f}211"),
            (1_234_567.0, "1\u{202f}234\u{202f}567"),
            (123_456.0, "123\u{202f}456"),
            (2.5e9, "2.5e9"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn ticks_are_round_and_on_the_axis() {
        let ticks = |low, high| Scale::between(low, high).ticks(4);
        assert_eq!(ticks(0.0, 1.0), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(-3.0, 17.0), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(ticks(1310.0, 6530.0), [2000.0, 4000.0, 6000.0]);
        // Between whole numbers there is no step.
        assert_eq!(Scale::counts([1.0, 3.0].into_iter()).ticks(4), [1.0, 2.0, 3.0]);
        let far_apart = Scale::fitting([0.011, 0.9].into_iter());
        assert_eq!(far_apart.ticks(4).first(), Some(&0.01));
        assert!(far_apart.ticks(4).windows(2).all(|pair| pair[0] < pair[1]));
        let very_far = Scale::fitting([1e-9, 1.0].into_iter()).ticks(4);
        assert!((3..=5).contains(&very_far.len()), "{very_far:?}");
    }

    #[test]
    fn values_have_their_places() {
        let linear = Scale::between(10.0, 20.0).onto([100.0, 0.0]);
        assert_eq!([10.0, 15.0, 20.0].map(|value| linear.at(value)), [100.0, 50.0, 0.0]);
        let log = Scale::fitting([0.01, 1.0].into_iter()).onto([0.0, 1.1]);
        // 5 % of the axis on either side.
        for (value, expected) in [(0.01, 0.05), (0.1, 0.55), (1.0, 1.05)] {
            assert!((log.at(value) - expected).abs() < 1e-9, "{value} at {}", log.at(value));
        }
        let same = Scale::fitting([0.0, 0.0].into_iter());
        assert_eq!((same.at(0.0), same.ticks(2).is_empty()), (0.5, false));
        let nothing = Scale::fitting([].into_iter());
        assert!(nothing.at(0.0).is_finite());
    }
}
