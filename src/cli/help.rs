//! `awl completions` and `awl man`: help for shells and for `man`.

use super::failure::Failure;
use clap::CommandFactory;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// `awl completions`
#[derive(clap::Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// `awl man`
#[derive(clap::Args)]
pub struct Man {
    /// A directory for the pages; it is made if need be.
    directory: PathBuf,
}

/// Prints a completion script.
pub fn completions<C: CommandFactory>(arguments: &Completions) -> ExitCode {
    clap_complete::generate(arguments.shell, &mut C::command(), "awl", &mut io::stdout());
    ExitCode::SUCCESS
}

/// Writes a page for the program and one a command.
pub fn man<C: CommandFactory>(arguments: &Man) -> ExitCode {
    let directory = &arguments.directory;
    let write = || {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(C::command(), directory)
    };
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::writing(directory, &error).report(),
    }
}
