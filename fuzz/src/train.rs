//! What of `awl train` reads a configuration.

#[path = "../../src/cli/train/config/mod.rs"]
pub mod config;
#[path = "../../src/cli/train/recipe.rs"]
pub mod recipe;
