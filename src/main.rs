//! The program `awl`: one file a command under `cli/`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
