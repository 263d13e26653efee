//! The command line: what each command is called, and how its result becomes an exit status. No numerics.

mod adapters;
mod answers;
mod baselines;
mod bench;
mod beside;
mod calibrated;
mod compare;
#[cfg(test)]
mod corpus;
mod doctor;
mod evaluate;
mod export;
mod failure;
mod far;
mod help;
mod lock;
mod model;
mod networks;
mod predict;
mod reading;
mod rows_seen;
mod run_dir;
mod scores;
mod split_file;
mod sureness;
mod terminal;
mod train;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Multi-task training with learned task weights, on any GPU.
///
/// Exit status: 0 success, 1 a failure at run time, 2 bad usage or bad input.
#[derive(Parser)]
#[command(name = "awl", version, about, arg_required_else_help = true, infer_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a network on your table: one head a task, the tasks' weights learned.
    #[command(arg_required_else_help = true, args_override_self = true, allow_negative_numbers = true, after_help = TRAIN_EXAMPLES)]
    Train(Box<train::Arguments>),
    /// Say what `awl train` would see with these flags, and train nothing: columns, missing cells, labels, suspects, the split.
    #[command(
        arg_required_else_help = true,
        args_override_self = true,
        allow_negative_numbers = true
    )]
    Describe(Box<train::Arguments>),
    /// Compare the weightings on your table: each tuned alike, the same seeds, tested on rows that nothing was chosen by.
    #[command(arg_required_else_help = true, args_override_self = true, allow_negative_numbers = true, after_help = COMPARE_EXAMPLES)]
    Compare(Box<compare::Arguments>),
    /// Say how good a trained model is on labelled rows.
    #[command(after_help = EVALUATE_EXAMPLES)]
    Evaluate(evaluate::Arguments),
    /// Write a trained model's answers for new rows, as CSV.
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(predict::Arguments),
    /// Write a trained model for other programs: ONNX.
    Export(export::Arguments),
    /// Say whether training can be trusted on this machine: paste what it prints into an issue.
    ///
    /// Trains a little on the adapter that training would take and holds it against the f64 reference, tries what happens
    /// when the device is lost or a buffer is too large, and measures speed. The exit status is 0 if all is well, else 1.
    Doctor(doctor::Arguments),
    /// List the adapters (GPUs and software drivers), best first, and whether each can be used.
    ///
    /// WGPU_BACKEND (such as vulkan,gl) and WGPU_ADAPTER_NAME narrow what training uses; the first
    /// narrows this list too. The exit status is 0 if an adapter can be used, else 1.
    Adapters(adapters::Arguments),
    /// Time the fused engine against the unfused one on this adapter, and both against the adapter's limits.
    ///
    /// Engines take turns, so that whatever else the machine does slows all of them. Every time is the median, with
    /// its quartiles; nothing is written but to stdout and the files you name.
    Bench(bench::Arguments),
    /// Print a completion script for your shell.
    Completions(help::Completions),
    /// Write manual pages.
    Man(help::Man),
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  awl train penguins.csv --task species --task body_mass_g --task sex
  awl train houses.tsv.gz --task price:huber --task 'sold=days,visits' --ignore id --hidden 128,128
  awl train penguins.csv --task species --task body_mass_g --folds 5 --out folds
  awl train --config run/config.toml --lr 0.003 --out run-faster
  awl train --resume run --epochs 200";

const COMPARE_EXAMPLES: &str = "\
Examples:
  awl compare penguins.csv --task species --task body_mass_g --task sex
  awl compare houses.csv --task price --task sold --schemes awl,fixed --seeds 10 --out weightings
  awl compare --resume weightings";

const EVALUATE_EXAMPLES: &str = "\
Examples:
  awl evaluate run new-penguins.csv
  awl evaluate run new-penguins.csv --json | jq .tasks.species.accuracy";

const PREDICT_EXAMPLES: &str = "\
Examples:
  awl predict run new-penguins.csv --keep id --out answers.csv
  awl predict run new-penguins.csv --interval 0.9
  zcat much.csv.gz | awl predict run - > answers.csv";

/// Runs the command that the user typed. Exit status 0 is success, 1 a failure at run time, 2 bad usage.
pub fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Describe(arguments) => train::describe(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Adapters(arguments) => adapters::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Completions(arguments) => help::completions::<Arguments>(&arguments),
        Command::Man(arguments) => help::man::<Arguments>(&arguments),
    }
}
