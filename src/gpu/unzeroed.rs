//! Kernels for software adapters: large arrays in private memory that nothing zeroes first.
//!
//! naga gives every private array a zero initialiser. Mesa 22.3's llvmpipe compiles one in time that grows with the
//! square of its length: 24 s for 256 `vec4`s, 0.7 s without. So the SPIR-V is made here, as wgpu would make it,
//! without the initialisers of arrays, and handed to the driver as it is.
//!
//! The only unsafe code of the crate.
#![allow(unsafe_code)]

use naga::back::{pipeline_constants, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, SubgroupOperationSet, ValidationFlags, Validator};
use wgpu::{AdapterInfo, Backend, DeviceType, ExperimentalFeatures, Features};

/// What a device needs for such kernels.
const FEATURES: Features = Features::PASSTHROUGH_SHADERS.union(Features::SUBGROUP);

/// The features to open this adapter with, if it is one that such kernels are for: a software Vulkan driver
/// that computes on eight lanes.
pub(super) fn features(adapter: &wgpu::Adapter) -> Option<(Features, ExperimentalFeatures)> {
    (has_eight_lanes(&adapter.get_info()) && adapter.features().contains(FEATURES)).then(|| {
        // SAFETY: the only experimental feature used is the one of `module` below.
        (FEATURES, unsafe { ExperimentalFeatures::enabled() })
    })
}

/// Whether this device can run such kernels.
pub(super) fn runs_on(device: &wgpu::Device) -> bool {
    device.features().contains(FEATURES) && has_eight_lanes(&device.adapter_info())
}

fn has_eight_lanes(info: &AdapterInfo) -> bool {
    info.device_type == DeviceType::Cpu
        && info.backend == Backend::Vulkan
        && (info.subgroup_min_size, info.subgroup_max_size) == (8, 8)
}

/// A module of this WGSL at these pipeline constants.
///
/// # Panics
/// If the source is not valid WGSL, which the tests rule out for every kernel.
pub(super) fn module(
    device: &wgpu::Device,
    label: &'static str,
    text: &str,
    workgroup: u32,
    constants: &[(&'static str, f64)],
) -> wgpu::ShaderModule {
    let words = without_array_initialisers(&spirv(label, text, constants));
    let entry_points = [wgpu::PassthroughShaderEntryPoint {
        name: "main".into(),
        workgroup_size: (workgroup, 1, 1),
    }];
    // SAFETY: the words are naga's translation of a valid module, with every index held inside its array and every
    // loop bounded, as wgpu has them. What was taken away is the initial zeros of private arrays: the kernels write
    // an element before they read it, and if one did not, it would read a number, never an address.
    unsafe {
        device.create_shader_module_passthrough(wgpu::ShaderModuleDescriptorPassthrough {
            label: Some(label),
            entry_points: (&entry_points[..]).into(),
            spirv: Some(words.into()),
            ..Default::default()
        })
    }
}

fn spirv(label: &str, text: &str, constants: &[(&'static str, f64)]) -> Vec<u32> {
    let module = naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|e| panic!("{label}: {}", e.emit_to_string(text)));
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP);
    validator.subgroup_operations(SubgroupOperationSet::all());
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    let info = validator
        .validate(&module)
        .unwrap_or_else(|e| panic!("{label}: {}", e.emit_to_string(text)));
    let constants = constants.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let entry_point = Some((naga::ShaderStage::Compute, "main"));
    let (module, info) =
        pipeline_constants::process_overrides(&module, &info, entry_point, &constants)
            .unwrap_or_else(|e| panic!("{label}: {e}"));
    let options = spv::Options {
        // Subgroup operations came with 1.3.
        lang_version: (1, 3),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: BoundsCheckPolicy::Restrict,
            ..Default::default()
        },
        ..Default::default()
    };
    spv::write_vec(&module, &info, &options, None).unwrap_or_else(|e| panic!("{label}: {e}"))
}

// SPIR-V: five words of header, then instructions of (words << 16 | code).
const HEADER: usize = 5;
const TYPE_ARRAY: u32 = 28;
const TYPE_POINTER: u32 = 32;
const CONSTANT_NULL: u32 = 46;
const VARIABLE: u32 = 59;
/// `OpVariable` with an initialiser: code, type, result, storage class, initialiser.
const INITIALISED: usize = 5;

/// The same module whose array variables start with whatever memory holds. Scalars and structs keep their zeros:
/// naga writes `var k = 0u` as such an initialiser too.
fn without_array_initialisers(words: &[u32]) -> Vec<u32> {
    let mut arrays = Vec::new();
    let mut pointers_to_arrays = Vec::new();
    let mut nulls = Vec::new();
    let (header, mut rest) = words.split_at(HEADER);
    let mut kept = header.to_vec();
    while let Some(first) = rest.first() {
        let (instruction, next) = rest.split_at((first >> 16) as usize);
        rest = next;
        match (first & 0xffff, instruction) {
            (TYPE_ARRAY, [_, result, ..]) => arrays.push(*result),
            (TYPE_POINTER, [_, result, _, to]) if arrays.contains(to) => {
                pointers_to_arrays.push(*result)
            }
            (CONSTANT_NULL, [_, _, result]) => nulls.push(*result),
            _ => {}
        }
        match instruction {
            &[code, kind, result, class, initial]
                if code == (INITIALISED as u32) << 16 | VARIABLE
                    && pointers_to_arrays.contains(&kind)
                    && nulls.contains(&initial) =>
            {
                kept.extend([(INITIALISED as u32 - 1) << 16 | VARIABLE, kind, result, class]);
            }
            _ => kept.extend_from_slice(instruction),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        @group(0) @binding(0) var<storage, read_write> out: array<f32>;
        var<private> large: array<f32, 64>;
        override SCALE: f32 = 1.0;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) lane: u32) {
            var k = 0u;
            var small: array<f32, 8>;
            for (; k < 8u; k++) { small[k] = SCALE; large[k] = small[k]; }
            out[lane] = large[lane] + small[lane];
        }";

    fn initialised(words: &[u32]) -> (usize, usize) {
        let (mut with, mut without) = (0, 0);
        let mut rest = &words[HEADER..];
        while let Some(first) = rest.first() {
            let length = (first >> 16) as usize;
            match (first & 0xffff, length) {
                (VARIABLE, INITIALISED) => with += 1,
                (VARIABLE, _) => without += 1,
                _ => {}
            }
            rest = &rest[length..];
        }
        (with, without)
    }

    #[test]
    fn arrays_lose_their_initial_zeros_and_nothing_else_changes() {
        let before = spirv("a test", TEXT, &[("SCALE", 2.0)]);
        let after = without_array_initialisers(&before);
        let (with, without) = initialised(&before);
        assert!(with > 2, "{with} variables had an initialiser");
        assert_eq!(initialised(&after), (with - 2, without + 2));
        assert_eq!(after.len(), before.len() - 2);
        assert_eq!(without_array_initialisers(&after), after);
    }
}
