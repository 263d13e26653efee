//! The program `awl`: one file a command under `cli/`.

mod cli;

fn main() -> std::process::ExitCode {
    awl::prefer_wide_vectors();
    cli::run()
}
