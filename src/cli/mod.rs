//! The command line: what each command is called, and how its result becomes an exit status. No numerics.

mod adapters;
mod bench;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Multi-task training with learned task weights, on any GPU.
#[derive(Parser)]
#[command(name = "awl", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
}

/// Runs the command that the user typed. Exit status 0 is success, 1 a failure at run time, 2 bad usage.
pub fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Adapters(arguments) => adapters::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    }
}
