//! AMD's compiler in Mesa (RADV), without a GPU: what it says of kernels, through `VK_KHR_pipeline_executable_properties`.
//!
//! RADV's null device compiles for any family that `RADV_FORCE_FAMILY` names. wgpu cannot open that device (it has no
//! timeline semaphores), so Vulkan is spoken here, with the device features that wgpu would turn on.
//!
//! Drivers read the environment as they are loaded, and the environment of a process with many threads, as tests have, must
//! not be changed. So the compiler works in a process of its own: this test binary once more, with the variables set, told to
//! run the one test below. That test is an ordinary one otherwise: it gives kernels to such a process and judges the answer.

// Test code: the shipped library has none of it.
#![allow(unsafe_code)]

use ash::{khr::pipeline_executable_properties, vk};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A kernel as the driver takes it.
#[derive(Serialize, Deserialize)]
pub(super) struct Binary {
    /// SPIR-V.
    pub words: Vec<u32>,
    /// Its bindings by group.
    pub groups: Vec<Vec<Kind>>,
}

/// What is bound.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Kind {
    Storage,
    /// At a dynamic offset.
    Uniform,
}

/// What the compiler made of kernels.
#[derive(Serialize, Deserialize)]
pub(super) struct Compiled {
    /// Such as "Mesa 22.3.6".
    pub compiler: String,
    /// Of each kernel, in order.
    pub figures: Vec<Figures>,
}

/// What a kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Figures {
    /// Vector registers of a lane.
    pub vgprs: u64,
    /// Registers of both kinds that found no place.
    pub spills: u64,
    /// Bytes of memory for a wave: spilled registers, and private arrays at indices that are not constant.
    pub scratch: u64,
    /// Bytes of workgroup memory.
    pub lds: u64,
    /// Waves of 64 lanes that a SIMD holds at once.
    pub waves: u64,
    /// Bytes of machine code.
    pub code: u64,
    /// Seconds that the pipeline took.
    pub seconds: f64,
}

/// The compiler's answer, or why there is none on this machine.
type Answer = Result<Compiled, String>;

/// Names the folder with the order to the process that compiles.
const ORDER: &str = "AWL_RADV_ORDER";
/// The test that takes it.
const COMPILES: &str = "tests::spills_are_seen_and_their_absence_too";

/// Compiles for a family of GPUs; why not, where the driver is absent.
pub(super) fn compile(family: &str, kernels: &[Binary]) -> Answer {
    let description =
        description().ok_or("Mesa's radeon_icd*.json is in no folder for Vulkan's drivers")?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let order = serde_json::to_vec(kernels).expect("kernels as JSON");
    std::fs::write(folder.path().join("order"), order).expect("a temporary file");
    let (_, module) = module_path!().split_once("::").expect("a module within the crate");
    let output = Command::new(std::env::current_exe().expect("this program's path"))
        .args(["--exact", &format!("{module}::{COMPILES}")])
        .env(ORDER, folder.path())
        .env("VK_DRIVER_FILES", &description)
        // The same for older loaders.
        .env("VK_ICD_FILENAMES", &description)
        .env("RADV_FORCE_FAMILY", family)
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .env_remove("RADV_DEBUG")
        .env_remove("RADV_PERFTEST")
        .output()
        .expect("this program once more");
    let answer = std::fs::read(folder.path().join("answer")).unwrap_or_else(|error| {
        let said = [output.stdout, output.stderr].concat();
        panic!("no answer for {family} ({error}): {}", String::from_utf8_lossy(&said))
    });
    serde_json::from_slice(&answer).expect("an answer")
}

/// RADV's description for the loader, of this machine's architecture where several lie side by side.
fn description() -> Option<PathBuf> {
    let folders = ["/etc", "/usr/local/share", "/usr/share"];
    let names = [format!("radeon_icd.{}.json", std::env::consts::ARCH), "radeon_icd.json".into()];
    let paths = folders.iter().flat_map(|folder| {
        names.iter().map(move |name| Path::new(folder).join("vulkan/icd.d").join(name))
    });
    paths.into_iter().find(|path| path.is_file())
}

/// Takes the order, in the process that compiles.
fn answer(folder: &Path) {
    let order = std::fs::read(folder.join("order")).expect("an order");
    let kernels: Vec<Binary> = serde_json::from_slice(&order).expect("kernels");
    // SAFETY: as in `Driver`.
    let answer: Answer = unsafe { Driver::open() }.map(|driver| Compiled {
        compiler: driver.compiler.clone(),
        // SAFETY: the words are naga's translation of valid modules, and the bindings theirs.
        figures: kernels.iter().map(|kernel| unsafe { driver.figures(kernel) }).collect(),
    });
    let answer = serde_json::to_vec(&answer).expect("an answer as JSON");
    std::fs::write(folder.join("answer"), answer).expect("a temporary file");
}

/// RADV's null device. Its functions are unsafe since Vulkan checks nothing: every handle given to it is one that it has
/// made, and all live until the process ends, which is soon.
struct Driver {
    /// Holds the library that all else is in.
    _vulkan: ash::Entry,
    device: ash::Device,
    executables: pipeline_executable_properties::Device,
    compiler: String,
    /// How often the driver counts a wave of 64 lanes. RDNA's SIMDs are twice as wide as GCN's, and Mesa 22.3 counts twice as
    /// many waves as there is room for: 16 of one-wave workgroups with 4 kB each, of which 128 kB for four SIMDs hold 8.
    waves_counted: u64,
}

impl Driver {
    /// Opens it, or says what is absent.
    unsafe fn open() -> Result<Self, String> {
        unsafe {
            let vulkan = ash::Entry::load().map_err(|e| format!("Vulkan's loader: {e}"))?;
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let info = vk::InstanceCreateInfo::default().application_info(&application);
            let instance =
                vulkan.create_instance(&info, None).map_err(|e| format!("an instance: {e}"))?;
            let devices =
                instance.enumerate_physical_devices().map_err(|e| format!("devices: {e}"))?;
            let physical = *devices.first().ok_or("RADV offers no device without a GPU")?;
            let device = device(&instance, physical).map_err(|e| format!("a device: {e}"))?;
            let mut driver = vk::PhysicalDeviceDriverProperties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
            instance.get_physical_device_properties2(physical, &mut properties);
            let executables = pipeline_executable_properties::Device::new(&instance, &device);
            let name = text(&properties.properties.device_name);
            let waves_counted = if name.contains("VEGA") { 1 } else { 2 };
            let compiler = text(&driver.driver_info);
            Ok(Self { _vulkan: vulkan, device, executables, compiler, waves_counted })
        }
    }

    /// Compiles a kernel, and asks what it takes.
    unsafe fn figures(&self, kernel: &Binary) -> Figures {
        unsafe {
            let info = vk::ShaderModuleCreateInfo::default().code(&kernel.words);
            let module = self.device.create_shader_module(&info, None).expect("a shader module");
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(c"main");
            let info = vk::ComputePipelineCreateInfo::default()
                .flags(vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR)
                .stage(stage)
                .layout(self.layout(&kernel.groups));
            let started = Instant::now();
            let made =
                self.device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None);
            let seconds = started.elapsed().as_secs_f64();
            self.statistics(made.expect("a pipeline")[0], seconds)
        }
    }

    unsafe fn layout(&self, groups: &[Vec<Kind>]) -> vk::PipelineLayout {
        let set = |group: &Vec<Kind>| {
            let bindings: Vec<_> =
                group.iter().zip(0..).map(|(kind, at)| binding(*kind, at)).collect();
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            unsafe {
                self.device.create_descriptor_set_layout(&info, None).expect("a set's layout")
            }
        };
        let sets: Vec<_> = groups.iter().map(set).collect();
        let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
        unsafe { self.device.create_pipeline_layout(&info, None).expect("a layout") }
    }

    unsafe fn statistics(&self, pipeline: vk::Pipeline, seconds: f64) -> Figures {
        let info = vk::PipelineInfoKHR::default().pipeline(pipeline);
        let executables = unsafe { self.executables.get_pipeline_executable_properties(&info) };
        let sizes =
            executables.expect("executables").iter().map(|it| it.subgroup_size).collect::<Vec<_>>();
        assert_eq!(sizes, [64], "one executable, for waves of 64 lanes");
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        let statistics = unsafe { self.executables.get_pipeline_executable_statistics(&info) };
        let by_name: HashMap<_, _> = statistics
            .expect("statistics")
            .iter()
            // SAFETY: RADV's are all of this format, and all bits are a number.
            .map(|statistic| (text(&statistic.name), unsafe { statistic.value.u64 }))
            .collect();
        let of = |name: &str| {
            *by_name.get(name).unwrap_or_else(|| panic!("no \"{name}\" among {by_name:?}"))
        };
        Figures {
            vgprs: of("VGPRs"),
            spills: of("Spilled VGPRs") + of("Spilled SGPRs"),
            scratch: of("Scratch size"),
            lds: of("LDS size"),
            waves: of("Subgroups per SIMD") / self.waves_counted,
            code: of("Code size"),
            seconds,
        }
    }
}

/// A device with the features of wgpu's that the compiler knows of.
unsafe fn device(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
) -> ash::prelude::VkResult<ash::Device> {
    let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
    let extensions =
        [pipeline_executable_properties::NAME.as_ptr(), ash::ext::robustness2::NAME.as_ptr()];
    let features = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
    let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
        .pipeline_executable_info(true);
    let mut robustness = vk::PhysicalDeviceRobustness2FeaturesEXT::default()
        .robust_buffer_access2(true)
        .robust_image_access2(true);
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&queues)
        .enabled_extension_names(&extensions)
        .enabled_features(&features)
        .push_next(&mut executables)
        .push_next(&mut robustness);
    unsafe { instance.create_device(physical, &info, None) }
}

fn binding(kind: Kind, at: u32) -> vk::DescriptorSetLayoutBinding<'static> {
    let kind = match kind {
        Kind::Storage => vk::DescriptorType::STORAGE_BUFFER,
        Kind::Uniform => vk::DescriptorType::UNIFORM_BUFFER_DYNAMIC,
    };
    vk::DescriptorSetLayoutBinding::default()
        .binding(at)
        .descriptor_type(kind)
        .descriptor_count(1)
        .stage_flags(vk::ShaderStageFlags::COMPUTE)
}

/// A text of fixed length, which ends in a zero.
fn text(characters: &[c_char]) -> String {
    // SAFETY: Vulkan ends each such text within its array.
    unsafe { CStr::from_ptr(characters.as_ptr()) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Candidate, binary, judges};
    use super::*;

    /// A kernel whose lanes keep so many numbers at once: all are loaded before a barrier and used after it.
    fn keeps(numbers: usize) -> Binary {
        let each = |line: &dyn Fn(usize) -> String| (0..numbers).map(line).collect::<String>();
        let loads = each(&|i| format!("let n{i} = data[lane * {numbers} + {i}];\n"));
        let uses = each(&|i| {
            format!("data[lane * {numbers} + {i}] = n{i} * shared_by_all[lane ^ {i}];\n")
        });
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> data: array<f32>;
            var<workgroup> shared_by_all: array<f32, 512>;
            @compute @workgroup_size(64)
            fn main(@builtin(local_invocation_index) lane: u32) {{
                {loads} shared_by_all[lane] = n0; storageBarrier(); workgroupBarrier(); {uses}
            }}"
        );
        binary(&Candidate { name: "a test".into(), text, constants: vec![], is_lean: false })
    }

    /// A lane has 256 vector registers at most, and a SIMD of RDNA 2 has 512 for each of 64 lanes.
    #[test]
    fn spills_are_seen_and_their_absence_too() {
        if let Some(folder) = std::env::var_os(ORDER) {
            return answer(Path::new(&folder));
        }
        match compile("navi21", &[keeps(10), keeps(300)]) {
            Err(reason) => judges::absent("radv", &reason),
            Ok(Compiled { figures, .. }) => {
                let [few, many] = figures[..] else { panic!("{figures:?}") };
                assert!((10..50).contains(&few.vgprs) && few.spills == 0, "{few:?}");
                assert!(many.vgprs > 248 && many.spills >= 300 - 256, "{many:?}");
                assert!(
                    few.scratch == 0 && many.scratch >= 64 * 4 * (300 - 256),
                    "{few:?}, {many:?}"
                );
                assert!(
                    few.lds == 2048 && many.lds == 2048 && many.waves == 2,
                    "{few:?}, {many:?}"
                );
                assert!(many.code > 20 * few.code, "{few:?}, {many:?}");
            }
        }
    }
}
