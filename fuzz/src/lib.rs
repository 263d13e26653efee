//! What is done with a hostile file, and what it must not do: see README.md.

// The program's own readers of files, as they are.
#[allow(dead_code, unused_imports)]
mod cli;
pub mod targets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does with these bytes what a target does, and holds the largest single allocation to a bound by their number, and so many beside.
///
/// # Panics
/// If one was larger.
pub fn bounded(target: fn(&[u8]), bytes: &[u8], beside: usize) {
    LARGEST.store(0, Ordering::Relaxed);
    target(bytes);
    let most = beside + (64 << 20) + 1_000 * bytes.len();
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest <= most, "{largest} bytes at once for a file of {}", bytes.len());
}

/// The largest allocation of late.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Watched = Watched;

struct Watched;

// SAFETY: every call is the system's own, as it came.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}
