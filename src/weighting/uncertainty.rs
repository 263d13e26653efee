//! Uncertainty: every task's σ as the noise of a likelihood, learned as `s = ln σ²` (Kendall, Gal & Cipolla, [*Multi-Task Learning Using
//! Uncertainty to Weigh Losses*](https://arxiv.org/abs/1705.07115), 2018): `½e⁻ˢ·L + ½s` for numbers, `e⁻ˢ·L + ½s` for classes. And IMTL-L,
//! `eˢ·L − s` (Liu et al., [*Towards Impartial Multi-task Learning*](https://openreview.net/forum?id=IMPnRXEWpvr), 2021, 3.2), which is twice
//! the former with the other sign.
//!
//! The total may fall below 0, and nothing bounds the weight of a task that is learned exactly: that is what AWL mends.

use super::scheme::{Form, Kind, Scheme, Setting};
use std::f64::consts::LN_2;

static UNCERTAINTY: [Setting; 2] = [
    Setting {
        name: "start",
        summary: "s at first; the authors have 0, LibMTL -0.5",
        default: 0.0,
        range: [-30.0, 30.0],
    },
    Setting {
        name: "alike",
        summary: "1 weighs classes as numbers, ½e⁻ˢ, as LibMTL does; 0 as Kendall, e⁻ˢ",
        default: 0.0,
        range: [0.0, 1.0],
    },
];

static IMTL_L: [Setting; 1] =
    [Setting { name: "start", summary: "s at first", default: 0.0, range: [-30.0, 30.0] }];

/// Kendall's uncertainty.
///
/// What is learned of a task of classes is `t = s − ln 2`: `e⁻ˢ` is `½e⁻ᵗ`, so that one formula serves all tasks. Its total is Kendall's less
/// ½ ln 2 for every task of classes.
#[derive(Debug)]
pub struct Uncertainty;

impl Scheme for Uncertainty {
    fn name(&self) -> &'static str {
        "uncertainty"
    }

    fn summary(&self) -> &'static str {
        "Kendall's: ½e⁻ˢ·L + ½s, s = ln σ² learned; the total may fall below 0"
    }

    fn source(&self) -> &'static str {
        "Kendall, Gal & Cipolla 2018, eq. 7 and 10"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }

    fn settings(&self) -> &'static [Setting] {
        &UNCERTAINTY
    }

    fn form(&self, _settings: &[f64]) -> Form {
        Form::LogVariance
    }

    fn start(&self, settings: &[f64]) -> f32 {
        settings[0] as f32
    }

    fn parameter(&self, settings: &[f64], start: f32, classes: bool) -> f32 {
        (f64::from(start) - offset(settings, classes)) as f32
    }

    fn problem(&self, _settings: &[f64], start: f32) -> Option<(String, String)> {
        problem(start)
    }

    fn sigma(&self, settings: &[f64], parameter: f64, classes: bool) -> Option<f64> {
        Some((0.5 * (parameter + offset(settings, classes))).exp())
    }

    fn rest(&self, settings: &[f64], loss: f64, classes: bool) -> Option<f64> {
        // ½e⁻ᵗL = ½
        Some((0.5 * (loss.ln() + offset(settings, classes))).exp())
    }

    fn noise_variance(&self, _settings: &[f64], parameter: f64) -> Option<f64> {
        Some(parameter.exp())
    }

    fn weight(&self, _settings: &[f64], parameter: f64) -> f64 {
        0.5 * (-parameter).exp()
    }

    fn regulariser(&self, _settings: &[f64], parameter: f64) -> f64 {
        0.5 * parameter
    }

    fn gradient(&self, settings: &[f64], loss: f64, parameter: f64) -> f64 {
        0.5 - loss * self.weight(settings, parameter)
    }
}

/// By how much s is more than what is learned of it.
fn offset(settings: &[f64], classes: bool) -> f64 {
    if classes && settings[1] == 0.0 { LN_2 } else { 0.0 }
}

fn problem(start: f32) -> Option<(String, String)> {
    (!start.is_finite())
        .then(|| (format!("s starts at {start}"), "start it at a finite number".into()))
}

/// IMTL-L.
#[derive(Debug)]
pub struct ImtlL;

impl Scheme for ImtlL {
    fn name(&self) -> &'static str {
        "imtl-l"
    }

    fn summary(&self) -> &'static str {
        "eˢ·L − s, s learned: all weighted losses come to 1"
    }

    fn source(&self) -> &'static str {
        "Liu et al. 2021, 3.2"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }

    fn settings(&self) -> &'static [Setting] {
        &IMTL_L
    }

    fn form(&self, _settings: &[f64]) -> Form {
        Form::LogWeight
    }

    fn start(&self, settings: &[f64]) -> f32 {
        settings[0] as f32
    }

    fn problem(&self, _settings: &[f64], start: f32) -> Option<(String, String)> {
        problem(start)
    }

    fn weight(&self, _settings: &[f64], parameter: f64) -> f64 {
        parameter.exp()
    }

    fn regulariser(&self, _settings: &[f64], parameter: f64) -> f64 {
        -parameter
    }

    fn gradient(&self, settings: &[f64], loss: f64, parameter: f64) -> f64 {
        loss * self.weight(settings, parameter) - 1.0
    }
}
