//! `f64` on the CPU, as plain as the formulas.

/// The reference engine.
pub struct Reference;
