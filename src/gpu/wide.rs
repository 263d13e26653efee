//! Wider vectors for software drivers: one of the three places with unsafe code.
#![allow(unsafe_code)]

/// What Mesa reads when it is loaded; it says how many bits llvmpipe's vectors have.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const VARIABLE: &str = "LP_NATIVE_VECTOR_WIDTH";

/// Asks Mesa's llvmpipe, the software driver, to compute on vectors of 512 bits where the CPU has AVX-512: the fused
/// engine then takes small networks through a step in about two thirds of the time (docs/performance.md). Call it
/// before anything else in `main`; the program `awl` does.
///
/// Mesa itself stays with 256 bits unless the environment variable `LP_NATIVE_VECTOR_WIDTH` says otherwise, which this
/// sets. It does nothing, and returns false, where that variable is set already (so that a user's choice stands), on
/// other systems and CPUs, and once the process has a second thread, which might be reading the environment. GPUs and
/// other drivers do not look at it.
pub fn prefer_wide_vectors() -> bool {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    {
        let may = std::env::var_os(VARIABLE).is_none() && has_wide_vectors() && is_alone();
        if may {
            // SAFETY: no other thread of this process exists that could read the environment.
            unsafe { std::env::set_var(VARIABLE, "512") };
        }
        may
    }
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    false
}

/// The parts of AVX-512 that LLVM needs to keep f32 and u32 in 512 bits.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn has_wide_vectors() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn is_alone() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
