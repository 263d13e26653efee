//! What is done with the bytes of a file, one function a target. None may panic, whatever the bytes.
//!
//! The fuzzer calls them with bytes of its own, and the program's tests with the files of `corpus/`.

mod choices;
mod config;
mod onnx;
#[cfg(feature = "parquet")]
mod parquet;
mod safetensors;
mod table;

pub use self::config::config;
pub use self::onnx::onnx;
#[cfg(feature = "parquet")]
pub use self::parquet::parquet;
pub use self::safetensors::safetensors;
pub use self::table::table;
