//! Reports for people: tables in the terminal, and event files for TensorBoard. Knows what training produces, and
//! nothing of how.

mod epochs;
#[cfg(not(target_arch = "wasm32"))]
pub mod tensorboard;

pub use self::epochs::EpochTable;
