//! Which adapters there are, which of them can run the kernels, and which is best.

use crate::error::{Error, Result};
use wgpu::{AdapterInfo, Backend, Backends, DeviceType, DownlevelFlags, Limits};

/// What `awl adapters` says of one adapter.
#[derive(Clone, Debug)]
pub struct AdapterReport {
    /// What wgpu knows of it: name, driver, backend, kind.
    pub info: AdapterInfo,
    /// Why it cannot be used; `None` if it can.
    pub unfit: Option<String>,
    /// What it can hold and do at most.
    pub limits: Limits,
    /// The optional features that it has.
    pub features: wgpu::Features,
}

impl std::fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", describe(&self.info))?;
        match &self.unfit {
            Some(reason) => write!(f, ": cannot be used, {reason}"),
            None => Ok(()),
        }
    }
}

/// A limit's name in WebGPU, what the kernels need of it, and what the adapter has.
type Need = (&'static str, u32, u32);

/// The limits that every kernel relies on; all needs are within WebGPU's defaults.
fn needs(has: &Limits) -> [Need; 6] {
    [
        ("maxStorageBuffersPerShaderStage", 8, has.max_storage_buffers_per_shader_stage),
        ("maxUniformBuffersPerShaderStage", 2, has.max_uniform_buffers_per_shader_stage),
        (
            "maxDynamicUniformBuffersPerPipelineLayout",
            2,
            has.max_dynamic_uniform_buffers_per_pipeline_layout,
        ),
        (
            "maxUniformBufferBindingSize",
            64 << 10,
            u32::try_from(has.max_uniform_buffer_binding_size).unwrap_or(u32::MAX),
        ),
        ("maxComputeInvocationsPerWorkgroup", 64, has.max_compute_invocations_per_workgroup),
        ("maxComputeWorkgroupStorageSize", 4096, has.max_compute_workgroup_storage_size),
    ]
}

/// Every adapter of the enabled backends (`WGPU_BACKEND`), best first, whether it can be used or not.
///
/// # Errors
/// [`Error::Invalid`] if `WGPU_BACKEND` names something that is no backend.
pub async fn adapters() -> Result<Vec<AdapterReport>> {
    check_backends(&std::env::var("WGPU_BACKEND").unwrap_or_default())?;
    let found = enumerate(Backends::all()).await;
    Ok(found.iter().map(report).collect())
}

/// The best adapter that can be used and that `WGPU_ADAPTER_NAME` allows.
///
/// GL is only asked where nothing else gives a real GPU: opening it talks to the display, which may complain.
pub(super) async fn best() -> Result<wgpu::Adapter> {
    check_backends(&std::env::var("WGPU_BACKEND").unwrap_or_default())?;
    let mut best: Option<wgpu::Adapter> = None;
    let mut reports = Vec::new();
    for backends in [Backends::PRIMARY, Backends::SECONDARY] {
        for adapter in enumerate(backends).await {
            let report = report(&adapter);
            let rank = |adapter: &wgpu::Adapter| preference(&adapter.get_info());
            let better = best.as_ref().is_none_or(|best| rank(&adapter) < rank(best));
            if report.unfit.is_none() && better {
                best = Some(adapter);
            }
            reports.push(report);
        }
        if best.as_ref().is_some_and(|best| best.get_info().device_type != DeviceType::Cpu) {
            break;
        }
    }
    best.ok_or_else(|| none_fits(&reports))
}

/// The words that wgpu understands in `WGPU_BACKEND`; it ignores all others without a word.
const BACKENDS: [&str; 11] =
    ["vulkan", "vk", "metal", "mtl", "dx12", "d3d12", "opengl", "gles", "gl", "webgpu", "noop"];

/// Checks a list of backends such as `vulkan,gl`.
///
/// # Errors
/// [`Error::Invalid`] naming the word that is none.
fn check_backends(list: &str) -> Result<()> {
    let known = |word: &&str| BACKENDS.contains(&word.to_lowercase().as_str());
    let mut words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    match words.find(|word| !known(word)) {
        Some(word) => Err(Error::invalid(
            format!("WGPU_BACKEND names \"{word}\", which is no backend"),
            "use one or several of vulkan, metal, dx12, gl, such as WGPU_BACKEND=vulkan,gl",
        )),
        None => Ok(()),
    }
}

/// Optional features that every kernel does without.
const WANTED: wgpu::Features =
    wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::PIPELINE_CACHE);

/// Opens a device with WebGPU's default limits, but buffers as large as the adapter allows, timestamps, and
/// pipelines that can be kept.
pub(super) async fn open(adapter: &wgpu::Adapter) -> Result<(wgpu::Device, wgpu::Queue)> {
    let own = adapter.limits();
    let limits = Limits {
        max_buffer_size: own.max_buffer_size,
        max_storage_buffer_binding_size: own.max_storage_buffer_binding_size,
        // Twice the default, which nearly every GPU has: twice the rows in a workgroup.
        max_compute_workgroup_storage_size: own.max_compute_workgroup_storage_size.min(32 << 10),
        ..Limits::default().or_worse_values_from(&own)
    };
    #[cfg_attr(target_arch = "wasm32", expect(unused_mut))]
    let mut descriptor = wgpu::DeviceDescriptor {
        label: Some("awl"),
        required_features: adapter.features() & WANTED,
        required_limits: limits,
        ..Default::default()
    };
    #[cfg(not(target_arch = "wasm32"))]
    super::software::request(adapter, &mut descriptor);
    request(adapter, &descriptor).await
}

/// Opens a device with WebGPU's default limits and no optional feature.
#[cfg(not(target_arch = "wasm32"))]
pub(super) async fn open_plain(adapter: &wgpu::Adapter) -> Result<(wgpu::Device, wgpu::Queue)> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("awl, plain"),
        required_limits: Limits::default().or_worse_values_from(&adapter.limits()),
        ..Default::default()
    };
    request(adapter, &descriptor).await
}

/// Opens a device with as many bindings as kernels that count need; without optional features where it is plain.
#[cfg(all(test, not(target_arch = "wasm32")))]
pub(super) async fn open_counting(
    adapter: &wgpu::Adapter,
    is_plain: bool,
) -> Result<(wgpu::Device, wgpu::Queue)> {
    let own = adapter.limits();
    let mut descriptor = wgpu::DeviceDescriptor {
        required_limits: Limits::default().or_worse_values_from(&own),
        ..Default::default()
    };
    if !is_plain {
        super::software::request(adapter, &mut descriptor);
    }
    let most = own.max_storage_buffers_per_shader_stage;
    descriptor.required_limits.max_storage_buffers_per_shader_stage = most.min(12);
    request(adapter, &descriptor).await
}

async fn request(
    adapter: &wgpu::Adapter,
    descriptor: &wgpu::DeviceDescriptor<'_>,
) -> Result<(wgpu::Device, wgpu::Queue)> {
    let opened = adapter.request_device(descriptor).await;
    opened.map_err(|error| Error::NoDevice {
        adapter: describe(&adapter.get_info()),
        message: error.to_string(),
    })
}

/// Name, driver, backend and kind, for people.
pub(super) fn describe(info: &AdapterInfo) -> String {
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software",
        DeviceType::Other => "kind unknown",
    };
    let driver = [info.driver.as_str(), info.driver_info.as_str()]
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let driver = match driver.is_empty() {
        true => String::new(),
        false => format!(", {driver}"),
    };
    format!("{} ({}, {kind}{driver})", info.name, info.backend)
}

/// Every adapter of these backends, among those that `WGPU_BACKEND` allows, best first.
async fn enumerate(backends: Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends &= backends;
    let backends = descriptor.backends;
    let instance = wgpu::Instance::new(descriptor);
    let mut found = instance.enumerate_adapters(backends).await;
    if found.is_empty() && backends.contains(Backends::BROWSER_WEBGPU) {
        // A browser lists none, but gives one on request.
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        found.extend(instance.request_adapter(&options).await);
    }
    found.sort_by_key(|adapter| preference(&adapter.get_info()));
    found
}

/// Smaller is better: real GPUs before software, modern backends before GL.
fn preference(info: &AdapterInfo) -> (u8, u8) {
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    };
    (kind, u8::from(info.backend == Backend::Gl))
}

fn report(adapter: &wgpu::Adapter) -> AdapterReport {
    let info = adapter.get_info();
    let wanted = std::env::var("WGPU_ADAPTER_NAME").unwrap_or_default();
    let flags = adapter.get_downlevel_capabilities().flags;
    AdapterReport {
        limits: adapter.limits(),
        features: adapter.features(),
        unfit: unwanted(&info.name, &wanted).or_else(|| unfit(flags, &adapter.limits())),
        info,
    }
}

fn unwanted(name: &str, wanted: &str) -> Option<String> {
    let has = name.to_lowercase().contains(&wanted.to_lowercase());
    (!has).then(|| format!("its name has no \"{wanted}\" in it (WGPU_ADAPTER_NAME)"))
}

fn unfit(flags: DownlevelFlags, limits: &Limits) -> Option<String> {
    if !flags.contains(DownlevelFlags::COMPUTE_SHADERS) {
        return Some("it has no compute shaders".into());
    }
    short_of(limits)
}

/// The first limit that is below what the kernels need, in words.
pub(super) fn short_of(limits: &Limits) -> Option<String> {
    let short = needs(limits).into_iter().find(|(_, need, has)| has < need);
    short.map(|(name, need, has)| format!("its {name} is {has}, {need} are needed"))
}

/// The best of these adapters that can be used.
///
/// # Errors
/// [`Error::NoAdapter`] if there is none.
pub fn usable(reports: &[AdapterReport]) -> Result<&AdapterReport> {
    let mut fit = reports.iter().filter(|report| report.unfit.is_none());
    fit.next().ok_or_else(|| none_fits(reports))
}

/// The error where no adapter fits.
fn none_fits(reports: &[AdapterReport]) -> Error {
    let lines = reports.iter().map(|report| format!("\n  {report}"));
    Error::NoAdapter {
        listing: match reports {
            [] => "no adapter was found at all".into(),
            _ => format!("adapters found:{}", lines.collect::<String>()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_without_compute_or_with_small_limits_is_unfit() {
        let flags = DownlevelFlags::all();
        assert_eq!(unfit(flags, &Limits::default()), None);
        let no_compute = unfit(flags - DownlevelFlags::COMPUTE_SHADERS, &Limits::default());
        assert!(no_compute.is_some_and(|reason| reason.contains("compute")));
        let few = unfit(flags, &Limits::downlevel_defaults());
        assert!(few.is_some_and(|reason| reason.contains("maxStorageBuffersPerShaderStage is 4")));
    }

    #[test]
    fn an_adapter_may_be_chosen_by_a_part_of_its_name() {
        assert_eq!(unwanted("NVIDIA H100", "nvidia"), None);
        assert_eq!(unwanted("llvmpipe (LLVM 15)", ""), None);
        let reason = unwanted("llvmpipe (LLVM 15)", "radeon").unwrap_or_default();
        assert!(reason.contains("\"radeon\"") && reason.contains("WGPU_ADAPTER_NAME"));
    }

    #[test]
    fn backends_are_spelt_as_wgpu_spells_them() {
        assert!(check_backends("").is_ok());
        assert!(check_backends("vulkan, GL").is_ok());
        let error = check_backends("vulkan,vulcan").map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("\"vulcan\"") && text.contains("dx12")));
    }

    #[test]
    fn a_real_gpu_comes_before_a_software_driver_whatever_the_backend() {
        let info = |device_type, backend| AdapterInfo {
            backend,
            ..AdapterInfo::new(device_type, backend)
        };
        let software = preference(&info(DeviceType::Cpu, Backend::Vulkan));
        let integrated = preference(&info(DeviceType::IntegratedGpu, Backend::Gl));
        let vulkan = preference(&info(DeviceType::IntegratedGpu, Backend::Vulkan));
        assert!(vulkan < integrated && integrated < software);
    }

    #[test]
    fn the_error_says_what_to_do() {
        let text = none_fits(&[]).to_string();
        for part in ["no adapter was found", "mesa-vulkan-drivers", "WGPU_BACKEND"] {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    }
}
