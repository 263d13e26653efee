//! How much memory the library's buffers hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A buffer's share of a count of bytes, given back when it is dropped.
pub(crate) struct Held {
    bytes: u64,
    count: Arc<AtomicU64>,
}

impl Held {
    /// Adds `bytes` to `count`.
    pub fn new(count: &Arc<AtomicU64>, bytes: u64) -> Self {
        count.fetch_add(bytes, Ordering::Relaxed);
        Self { bytes, count: Arc::clone(count) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.count.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
