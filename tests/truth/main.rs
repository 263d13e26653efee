//! The truth: what every engine must compute, held against formulas, published values, finite
//! differences and PyTorch's own trajectories.
//!
//! Checks that any engine can take are functions over `&dyn Fn(Recipe, Dataset) -> Box<dyn Engine>`, so
//! that each engine is a line in a test; the reference engine takes all of them.

mod activations;
mod adam;
mod adam_pass;
mod bad_input;
mod bench;
mod checkpoints;
mod clipping;
mod closed_form;
mod doctor;
mod draws;
mod dropout;
mod encoded_twice;
mod epochs;
mod finite_differences;
mod first_row;
mod fleet;
mod fleet_runs;
mod golden;
mod held;
mod judges;
mod labels;
mod large;
mod leaks;
mod loss_pass;
mod losses;
mod mutations;
mod onnx;
mod own_noise;
mod pipelines;
mod portability;
mod program;
mod python;
mod random_shapes;
mod real_tables;
mod repeatable;
mod sample_weights;
mod schedules;
mod schemes;
mod sigma_form;
mod stopping;
mod support;
mod training;
mod trajectories;
mod validation;
