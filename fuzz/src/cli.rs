//! The files of the program that read files.

#[path = "../../src/cli/baselines.rs"]
pub mod baselines;
#[path = "../../src/cli/failure.rs"]
pub mod failure;
#[path = "../../src/cli/lock.rs"]
pub mod lock;
#[path = "../../src/cli/model.rs"]
pub mod model;
#[path = "../../src/cli/reading.rs"]
pub mod reading;
#[path = "../../src/cli/rows_seen.rs"]
pub mod rows_seen;
#[path = "../../src/cli/run_dir.rs"]
pub mod run_dir;
#[path = "../../src/cli/split_file.rs"]
pub mod split_file;
#[path = "../../src/cli/terminal.rs"]
pub mod terminal;
#[path = "train.rs"]
pub mod train;
