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

/// What stands below every page.
const SECTIONS: &str = r#".SH ENVIRONMENT
.TP
\fBWGPU_BACKEND\fR
Backends to look for an adapter in: vulkan, metal, dx12 or gl, or several with commas between.
.TP
\fBWGPU_ADAPTER_NAME\fR
Part of the name of the adapter to take.
.TP
\fBAWL_PROGRAM\fR
Programs of the fused engine to take, the first that can, such as block,tiled.
.TP
\fBXDG_CACHE_HOME\fR
Where compiled kernels are kept, in a folder awl; ~/.cache if it is not set.
.SH FILES
.TP
\fBRUN/model.safetensors\fR
The weights under PyTorch's names, and how the columns are encoded.
.TP
\fBRUN/config.toml\fR
Everything that determines the run.
.TP
\fBRUN/results.json\fR, \fBRUN/metrics.jsonl\fR, \fBRUN/report.html\fR
What came out, and how.
.TP
\fBRUN/split.csv\fR, \fBRUN/baselines.safetensors\fR
Which part each row was in; the models that the network should beat.
.TP
\fBRUN/checkpoint/\fR
What awl train --resume goes on from.
.SH EXIT STATUS
0 success, 1 a failure at run time, 2 bad usage or bad input.
"#;

/// Writes a page for the program and one a command, each with what holds for all.
pub fn man<C: CommandFactory>(arguments: &Man) -> ExitCode {
    let directory = &arguments.directory;
    let write = || {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(C::command(), directory)?;
        for page in std::fs::read_dir(directory)? {
            let path = page?.path();
            let is_ours = |name: &str| name.starts_with("awl") && name.ends_with(".1");
            if path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) {
                let page = std::fs::read_to_string(&path)?;
                // A page that was there before has them already.
                if !page.contains(SECTIONS) {
                    std::fs::write(&path, page + SECTIONS)?;
                }
            }
        }
        Ok(())
    };
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::writing(directory, &error).report(),
    }
}
