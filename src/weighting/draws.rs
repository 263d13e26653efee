//! What schemes draw at random: a hash of the seed, the step and the task, so that nothing need be kept or drawn in turn. The
//! kernels' twin is `shaders/weighting/draws.wgsl`.

use crate::data::pcg4d;

/// Sets these draws apart from those of dropout, whose second word is the place of a parameter.
const OF_TASKS: u32 = u32::MAX;
/// A number for this task from the normal distribution: Box and Muller, [*A Note on the Generation of Random Normal
/// Deviates*](https://doi.org/10.1214/aoms/1177706645), 1958.
pub(super) fn normal(key: [u32; 2], task: usize) -> f64 {
    let words = pcg4d([task as u32, OF_TASKS, key[0], key[1]]);
    let [radius, turn] =
        [words[2], words[3]].map(|word| (f64::from(word >> 8) + 0.5) / 2f64.powi(24));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::step_key;

    /// Moments of 40,000 draws, each within four standard errors, and of neighbours' products.
    #[test]
    fn draws_are_normal_and_independent() {
        let draws: Vec<f64> =
            (0..5_000).flat_map(|step| (0..8).map(move |k| normal(step_key(3, step), k))).collect();
        let count = draws.len() as f64;
        let mean = |f: &dyn Fn(f64) -> f64| draws.iter().map(|&x| f(x)).sum::<f64>() / count;
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
        {
            let error = 4.0 * f64::sqrt(variance / count);
            let found = mean(&|x| x.powi(power));
            assert!((found - expected).abs() < error, "{power}: {found}");
        }
        for apart in [1, 8] {
            let pairs = draws.iter().zip(&draws[apart..]);
            let found = pairs.map(|(a, b)| a * b).sum::<f64>() / count;
            assert!(found.abs() < 4.0 / count.sqrt(), "{apart}: {found}");
        }
    }
}
