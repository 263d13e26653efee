//! The continuous ranked probability score of a mixture, in closed form.

use super::mixture::laplace_scale;
use super::{Component, Family, Mixture};
use statrs::function::erf::erfc;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

impl Mixture<'_> {
    /// `E|X − y| − ½E|X − X'|` at a label y, X and X' from the mixture (Gneiting & Raftery 2007, eq. 21), on the scale that is learned:
    /// of a sure answer its absolute error. `None` of counts, and where the distribution is unknown.
    pub fn crps(&self, label: f64) -> Option<f64> {
        let [from_zero, pair]: [fn(f64, f64, f64) -> f64; 2] = match self.family {
            Family::Normal => {
                [|d, a, b| normal(d, (a + b).sqrt()), |d, a, b| normal(d, (a + b).sqrt())]
            }
            Family::Laplace => [|d, a, _| laplace(d, laplace_scale(a)), two_laplace],
            Family::Poisson | Family::Unknown => return None,
        };
        let count = self.members.len() as f64;
        let off = |it: &Component| from_zero(it.centre - label, it.variance, 0.0);
        let error = self.members.iter().map(off).sum::<f64>() / count;
        let apart = |a: &Component| {
            let to = |b: &Component| pair(a.centre - b.centre, a.variance, b.variance);
            self.members.iter().map(to).sum::<f64>()
        };
        let spread = self.members.iter().map(apart).sum::<f64>() / (count * count);
        Some(error - 0.5 * spread)
    }
}

/// `E|Z|` of a normal distribution with this mean and standard deviation.
fn normal(mean: f64, deviation: f64) -> f64 {
    if deviation == 0.0 {
        return mean.abs();
    }
    let z = mean / deviation;
    let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    // 2Φ(z) − 1
    mean * (1.0 - erfc(z * FRAC_1_SQRT_2)) + 2.0 * deviation * density
}

/// `E|d + Z|`, Z from a Laplace distribution of scale b.
fn laplace(d: f64, b: f64) -> f64 {
    let d = d.abs();
    if b == 0.0 { d } else { d + b * (-d / b).exp() }
}

/// `E|d + Z₁ + Z₂|` of two such of these variances: their sum has the density of two Laplace distributions, weighted by
/// `b₁²/(b₁² − b₂²)` and `−b₂²/(b₁² − b₂²)`.
fn two_laplace(d: f64, variance1: f64, variance2: f64) -> f64 {
    let (b1, b2) = (laplace_scale(variance1), laplace_scale(variance2));
    let d = d.abs();
    let (small, large) = (b1.min(b2), b1.max(b2));
    if small == 0.0 {
        return laplace(d, large);
    }
    if large - small <= 1e-4 * large {
        let b = 0.5 * (small + large);
        return d + 0.5 * (-d / b).exp() * (3.0 * b + d);
    }
    let cube = |b: f64| b * b * b * (-d / b).exp();
    d + (cube(large) - cube(small)) / (large * large - small * small)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;
    use crate::tables::{Encoder, NumberEncoding, Table};

    fn encoding() -> NumberEncoding {
        let table = Table::from_csv("t", "x,y\n1,1\n2,3\n".as_bytes()).expect("a table");
        let encoder = Encoder::fit(&table, &["x"], &[("y", Loss::Mse)]).expect("an encoder");
        encoder.targets()[0].encoding.numbers()[0].clone()
    }

    /// The definition, `∫(F − 1{x ≥ y})²`, by the midpoint rule.
    fn integrated(of: &Mixture<'_>, label: f64) -> f64 {
        let steps = 400_000;
        let (low, high) = (-40.0, 40.0);
        let width = (high - low) / f64::from(steps);
        let term = |step: i32| {
            let x = low + (f64::from(step) + 0.5) * width;
            let below = f64::from(u8::from(x >= label));
            (of.cdf(x).expect("a probability") - below).powi(2)
        };
        (0..steps).map(term).sum::<f64>() * width
    }

    #[test]
    fn it_is_the_integral_that_defines_it() {
        let encoding = encoding();
        let of = |family, members: &[(f64, f64)]| {
            let members = members.iter().map(|&(centre, variance)| Component { centre, variance });
            Mixture::new(&encoding, family, members.collect())
        };
        for family in [Family::Normal, Family::Laplace] {
            for members in
                [&[(0.3, 0.5)][..], &[(-1.0, 0.25), (0.5, 1.0), (2.0, 0.09)], &[(0.0, 1.0); 2]]
            {
                let mixture = of(family, members);
                for label in [-2.0, 0.1, 3.0] {
                    let found = mixture.crps(label).expect("a score");
                    let expected = integrated(&mixture, label);
                    let case = format!("{family:?} {members:?} at {label}");
                    assert!((found - expected).abs() < 1e-6, "{case}: {found}, not {expected}");
                }
            }
        }
        // Of a standard normal distribution at 0: (√2 − 1)/√π.
        let standard = of(Family::Normal, &[(0.0, 1.0)]).crps(0.0).expect("a score");
        assert!((standard - (2_f64.sqrt() - 1.0) / PI.sqrt()).abs() < 1e-12);
        // A sure answer's is its error.
        assert_eq!(of(Family::Laplace, &[(1.0, 0.0)]).crps(3.0), Some(2.0));
        assert_eq!(of(Family::Poisson, &[(1.0, 1.0)]).crps(3.0), None);
    }
}
