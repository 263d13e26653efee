//! Fourier features: waves through which a network sees where it is.
//!
//! A perceptron that is given coordinates as they are learns smooth functions of them and blurs every edge. Given
//! `γ(v) = [cos(2πBv), sin(2πBv)]`, with each row of B drawn from a normal distribution of standard deviation
//! `scale`, it learns what varies `scale` times a picture as readily (Tancik et al., *Fourier Features Let Networks
//! Learn High Frequency Functions in Low Dimensional Domains*, [arXiv:2006.10739](https://arxiv.org/abs/2006.10739),
//! 2020, eq. 5 and section 6.1).

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::f64::consts::TAU;

/// The waves: B, one row a wave, in cycles a height of the picture to the right and down.
pub struct FourierFeatures {
    waves: Vec<[f64; 2]>,
}

impl FourierFeatures {
    /// So many waves drawn at random; the seed chooses which.
    pub fn new(waves: usize, scale: f64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // Box and Muller's transform: two uniform numbers make two normal ones.
        let mut wave = || {
            let (radius, angle) = (1.0 - random.random::<f64>(), TAU * random.random::<f64>());
            let radius = scale * (-2.0 * radius.ln()).sqrt();
            [radius * angle.cos(), radius * angle.sin()]
        };
        Self { waves: (0..waves).map(|_| wave()).collect() }
    }

    /// Number of features: a cosine and a sine a wave.
    pub fn count(&self) -> usize {
        2 * self.waves.len()
    }

    /// γ at one point.
    pub fn at(&self, [x, y]: [f64; 2]) -> impl Iterator<Item = f32> {
        self.waves.iter().flat_map(move |[right, down]| {
            let (sine, cosine) = (TAU * (right * x + down * y)).sin_cos();
            [cosine as f32, sine as f32]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_are_normal_and_their_seed_chooses_them() {
        let features = FourierFeatures::new(20_000, 3.0, 1);
        let numbers: Vec<f64> = features.waves.iter().flatten().copied().collect();
        let count = numbers.len() as f64;
        let moment = |power| numbers.iter().map(|n| (n / 3.0).powi(power)).sum::<f64>() / count;
        // Of a standard normal distribution: 0, 1, 0, 3, within five standard errors.
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
        {
            let allowed = 5.0 * (variance / count).sqrt();
            let found = moment(power);
            assert!(
                (found - expected).abs() < allowed,
                "moment {power} is {found}, not {expected}"
            );
        }
        let first = |seed| FourierFeatures::new(1, 3.0, seed).waves;
        assert_eq!(first(1)[0], features.waves[0]);
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn a_feature_is_a_wave_across_the_picture() {
        let features = FourierFeatures { waves: vec![[2.0, 0.0], [1.0, 1.0]] };
        assert_eq!(features.count(), 4);
        let found: Vec<f32> = features.at([0.125, 0.5]).collect();
        // An eighth to the right is a quarter of the first wave; the second has gone through 225°.
        let half_root = -(0.5_f32.sqrt());
        for (found, expected) in found.iter().zip([0.0, 1.0, half_root, half_root]) {
            assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }
}
