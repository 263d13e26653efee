//! Reports for people: tables in the terminal, a page of a run or a comparison, and event files for TensorBoard. Knows what training
//! produces, and nothing of how.

mod epochs;
#[cfg(not(target_arch = "wasm32"))]
mod html;
#[cfg(not(target_arch = "wasm32"))]
pub mod tensorboard;

pub use self::epochs::EpochTable;
#[cfg(not(target_arch = "wasm32"))]
pub use self::html::{comparison_html, html};
