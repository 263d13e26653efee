//! The GPU room: adapter, device, buffers, pipelines, read-back and clock. The only room that speaks raw
//! wgpu plumbing; it knows nothing of networks, losses or training.
//!
//! Everything here is asynchronous where the GPU makes one wait, so that it also builds for the browser;
//! callers at the edge (a program, an example, a test) block with `pollster`.

mod adapter;
#[cfg(all(test, target_os = "linux"))]
pub(crate) mod amd;
mod buffer;
mod clock;
#[cfg(test)]
mod counted;
mod drill;
// The integration tests' own.
#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "../../tests/truth/judges.rs"]
mod judges;
mod kernel;
mod pipeline_cache;
mod readback;
mod rounds;
mod shaders;
#[cfg(not(target_arch = "wasm32"))]
mod software;
mod template;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod translations;
mod wide;

pub use self::adapter::{AdapterReport, adapters, usable};
pub(crate) use self::buffer::{Buffer, check_size, part};
pub(crate) use self::clock::Clock;
pub(crate) use self::kernel::{Dispatch, Kernel, StepGroups};
pub(crate) use self::readback::{Pending, Readback, read, read_range};
pub(crate) use self::rounds::{MOST_ROUNDS, REDUCTION, Work, rounds_of};
#[cfg(test)]
pub(crate) use self::shaders::tests::check as check_shader;
pub(crate) use self::shaders::{Source, kernels};
pub(crate) use self::template::render;
pub use self::wide::prefer_wide_vectors;

use self::kernel::Cache;
use crate::error::{Error, Result};
use std::sync::{Arc, Mutex};

/// An open GPU: device, queue, and the pipelines made on it so far. Cheap to clone.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    kernels: Cache,
    fault: Arc<Mutex<Option<Fault>>>,
    drill: Option<drill::Drill>,
}

/// What the device reported on its own, kept until somebody asks.
#[derive(Clone)]
enum Fault {
    Lost(String),
    OutOfMemory(String),
    Validation(String),
}

impl Gpu {
    /// Opens the best adapter: a real GPU before a software driver, Vulkan, Metal and DX12 before GL.
    ///
    /// `WGPU_BACKEND` (such as `vulkan,gl`) and `WGPU_ADAPTER_NAME` (a part of the name) narrow the choice.
    ///
    /// Where the backend hands out compiled pipelines, which is Vulkan, they are kept in the folder `awl` of the user's
    /// cache directory, or in the one that `AWL_PIPELINE_CACHE` names; none are where it says `off`. `AWL_DRILL` (such as
    /// `lose-device@120`, `fail-readback@120` or `out-of-memory@120`) brings about a fault when a step of this number is submitted.
    ///
    /// ```
    /// let gpu = pollster::block_on(awl::Gpu::new())?;
    /// println!("{}", gpu.name());
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoAdapter`] with a listing if none fits, [`Error::NoDevice`] if the best one does not open,
    /// [`Error::Invalid`] if `AWL_DRILL` names no fault.
    pub async fn new() -> Result<Self> {
        let drill = drill::Drill::asked()?;
        let adapter = adapter::best().await?;
        let (device, queue) = adapter::open(&adapter).await?;
        let gpu = Self::with(device, queue, drill)?;
        gpu.watch();
        if let Some(folder) = pipeline_cache::folder() {
            // What has no pipeline cache compiles anew each time.
            let _ = gpu.keep_pipelines(&folder).await;
        }
        Ok(gpu)
    }

    /// The same adapter with WebGPU's default limits and no optional feature: the kernels that run anywhere, GPUs among
    /// them, in place of those made for software drivers. No compiled pipelines are kept.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn plain() -> Result<Self> {
        let adapter = adapter::best().await?;
        let (device, queue) = adapter::open_plain(&adapter).await?;
        let gpu = Self::from_device(device, queue)?;
        gpu.watch();
        Ok(gpu)
    }

    /// Uses a device and queue of your own, opened with at least WebGPU's default limits.
    ///
    /// Your own handlers for uncaptured errors and device loss stay in place: what goes wrong in a submission, as a
    /// lost device does, reaches them, and wgpu's own handler panics. No file is written but by
    /// [`keep_pipelines`](Self::keep_pipelines).
    ///
    /// # Errors
    /// [`Error::Invalid`] if the device was opened with a limit below what the kernels need.
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        Self::with(device, queue, None)
    }

    fn with(device: wgpu::Device, queue: wgpu::Queue, drill: Option<drill::Drill>) -> Result<Self> {
        if let Some(reason) = adapter::short_of(&device.limits()) {
            return Err(Error::invalid(
                format!("the device cannot run the kernels: {reason}"),
                "open it with at least wgpu::Limits::default()",
            ));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                device,
                queue,
                kernels: Cache::default(),
                fault: Arc::default(),
                drill,
            }),
        })
    }

    /// Keeps compiled pipelines in a file in this folder, which is made if need be, and takes them from there: those
    /// made from now on. Only the first call, on any clone, has an effect.
    ///
    /// A file that cannot be read or written, or that another driver made, costs the time to compile and nothing else.
    /// The folder must be the user's own: what is in the file is executed.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the device was not opened with [`wgpu::Features::PIPELINE_CACHE`], which Vulkan has.
    pub async fn keep_pipelines(&self, folder: &std::path::Path) -> Result<()> {
        let store = pipeline_cache::Store::open(self.device(), folder).await;
        self.inner.kernels.keep_in(store.ok_or_else(pipeline_cache::none)?);
        Ok(())
    }

    /// The device. An error of your own work on it is reported by the next call of this library, and by every one
    /// after it; put error scopes around what may fail.
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// The queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// The adapter's name, driver and backend, for people.
    pub fn name(&self) -> String {
        adapter::describe(&self.device().adapter_info())
    }

    /// Keeps errors and the loss of the device until [`check`](Self::check) asks, instead of panicking.
    fn watch(&self) {
        let fault = Arc::clone(&self.inner.fault);
        self.device().on_uncaptured_error(Arc::new(move |error| keep(&fault, Fault::from(error))));
        let fault = Arc::clone(&self.inner.fault);
        self.device().set_device_lost_callback(move |reason, message| {
            let message = match message.is_empty() {
                true => format!("{reason:?}"),
                false => format!("{reason:?}: {message}"),
            };
            keep(&fault, Fault::Lost(message));
        });
    }

    /// Whether the device is still sound.
    ///
    /// # Errors
    /// The first thing that the device reported: [`Error::DeviceLost`], [`Error::OutOfMemory`] or
    /// [`Error::Validation`].
    pub fn check(&self) -> Result<()> {
        let fault = lock(&self.inner.fault).clone();
        match fault {
            None => Ok(()),
            Some(Fault::Lost(message)) => Err(Error::DeviceLost { message }),
            Some(fault) => {
                // Calls to a lost device fail before its loss is reported, which a poll brings about.
                let _ = self.device().poll(wgpu::PollType::Poll);
                let latest = lock(&self.inner.fault).clone();
                Err(latest.unwrap_or(fault).into())
            }
        }
    }

    /// Runs `make`, which creates resources, and turns what the device says of them into an error.
    pub(crate) async fn guarded<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        let (made, faults) = {
            let filters = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation];
            let [memory, validation] = filters.map(|filter| self.device().push_error_scope(filter));
            let made = make();
            let validation = validation.pop();
            (made, [memory.pop(), validation])
        };
        self.inner.kernels.save();
        let [memory, validation] = faults;
        if let Some(error) = memory.await {
            return Err(Fault::from(error).into());
        }
        let rejected = validation.await;
        self.check()?;
        match rejected {
            Some(error) => Err(Fault::from(error).into()),
            None => made,
        }
    }

    /// A GPU whose kernels count the rounds of their loops: those that any adapter takes, or those of the best one.
    #[cfg(test)]
    pub(crate) async fn counting(is_plain: bool) -> Result<Self> {
        let (device, queue) = adapter::open_counting(&adapter::best().await?, is_plain).await?;
        let gpu = Self::from_device(device, queue)?;
        gpu.watch();
        let counts = &gpu.inner.kernels.counts_rounds;
        counts.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(gpu)
    }

    /// The kernel for a source at these constants: compiled once, then shared.
    pub(crate) fn kernel(
        &self,
        source: &'static Source,
        constants: &[(&'static str, f64)],
    ) -> Arc<Kernel> {
        self.inner.kernels.get(self.device(), source, "", constants)
    }

    /// The kernel for a source made for one shape: `prologue` is what its template makes, the text before the shared files.
    pub(crate) fn shaped_kernel(
        &self,
        source: &'static Source,
        prologue: &str,
        constants: &[(&'static str, f64)],
    ) -> Arc<Kernel> {
        self.inner.kernels.get(self.device(), source, prologue, constants)
    }

    /// Whether this is a driver that computes on the CPU.
    pub(crate) fn is_software(&self) -> bool {
        self.device().adapter_info().device_type == wgpu::DeviceType::Cpu
    }

    /// The lanes of a vector, eight or sixteen, where kernels made for them run ([`Source::vector`]): on software
    /// adapters for Vulkan.
    pub(crate) fn vector_lanes(&self) -> Option<usize> {
        #[cfg(not(target_arch = "wasm32"))]
        return software::lanes(self.device()).map(|lanes| lanes as usize);
        #[cfg(target_arch = "wasm32")]
        return None;
    }

    /// Group 1 or 2 of the kernels that know their step: so many bytes of the buffer of steps, or of members, at a dynamic offset.
    pub(crate) fn step_group(&self, buffer: &wgpu::Buffer, bytes: usize) -> wgpu::BindGroup {
        let size = wgpu::BufferSize::new(bytes as u64);
        let resource =
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size });
        self.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("step"),
            layout: &kernel::step_layout(self.device()),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource }],
        })
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gpu").field(&self.name()).finish()
    }
}

impl From<wgpu::Error> for Fault {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { source } => Self::OutOfMemory(source.to_string()),
            wgpu::Error::Validation { description, .. }
            | wgpu::Error::Internal { description, .. } => Self::Validation(description),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(message) => Self::DeviceLost { message },
            Fault::OutOfMemory(message) => Self::OutOfMemory { message },
            Fault::Validation(message) => Self::Validation { message },
        }
    }
}

/// Keeps the first fault; the loss of the device explains all others and replaces them.
fn keep(slot: &Mutex<Option<Fault>>, fault: Fault) {
    let mut slot = lock(slot);
    if slot.is_none() || matches!(fault, Fault::Lost(_)) {
        *slot = Some(fault);
    }
}

/// Locks, also after another thread panicked while it held the lock: the data are whole at all times.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
