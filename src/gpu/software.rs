//! Kernels for software adapters: their SPIR-V is made here, much as wgpu would make it, and handed to the driver.
//!
//! - Arrays have no initial zeros. naga gives every private array a zero initialiser, which Mesa 22.3's llvmpipe
//!   compiles in time that grows with the square of its length: 24 s for 256 `vec4`s, 0.7 s without.
//! - Loops with constant bounds are unrolled, however long: each index is then a constant, and llvmpipe keeps an array
//!   whose indices are all constant in registers. Any other index costs it a load for each lane.
//!
//! One of the three places with unsafe code.
#![allow(unsafe_code)]

use naga::back::{pipeline_constants, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, SubgroupOperationSet, ValidationFlags, Validator};
use wgpu::{AdapterInfo, Backend, DeviceType, ExperimentalFeatures, Features};

/// Storage buffers that such kernels bind at most: WebGPU's 8 are not enough.
const STORAGE_BUFFERS: u32 = 11;

/// What a device needs for such kernels.
const FEATURES: Features = Features::PASSTHROUGH_SHADERS.union(Features::SUBGROUP);

/// Asks for what such kernels need, if this adapter is one that they are for: a software Vulkan driver that computes
/// on vectors of eight or sixteen lanes.
pub(super) fn request(adapter: &wgpu::Adapter, descriptor: &mut wgpu::DeviceDescriptor<'_>) {
    if lanes_of(&adapter.get_info()).is_some()
        && adapter.features().contains(FEATURES)
        && has_bindings(&adapter.limits())
    {
        descriptor.required_features |= FEATURES;
        let buffers = &mut descriptor.required_limits.max_storage_buffers_per_shader_stage;
        *buffers = STORAGE_BUFFERS.max(*buffers);
        // SAFETY: the only experimental feature used is the one of `module` below.
        descriptor.experimental_features = unsafe { ExperimentalFeatures::enabled() };
    }
}

/// The lanes of this device's vectors, if it can run such kernels.
pub(super) fn lanes(device: &wgpu::Device) -> Option<u32> {
    let can = device.features().contains(FEATURES) && has_bindings(&device.limits());
    lanes_of(&device.adapter_info()).filter(|_| can)
}

fn has_bindings(limits: &wgpu::Limits) -> bool {
    limits.max_storage_buffers_per_shader_stage >= STORAGE_BUFFERS
}

fn lanes_of(info: &AdapterInfo) -> Option<u32> {
    let lanes = info.subgroup_min_size;
    let is_software = info.device_type == DeviceType::Cpu && info.backend == Backend::Vulkan;
    let is_a_vector = [8, 16].contains(&lanes) && info.subgroup_max_size == lanes;
    (is_software && is_a_vector).then_some(lanes)
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
    let words = rewritten(&spirv(label, text, constants));
    let entry_points = [wgpu::PassthroughShaderEntryPoint {
        name: "main".into(),
        workgroup_size: (workgroup, 1, 1),
    }];
    // SAFETY: the words are naga's translation of a valid module, with every index held inside its array, as wgpu has
    // it. What was taken away is the initial zeros of private arrays: the kernels write an element before they read it,
    // and if one did not, it would read a number, never an address; and the counters by which naga ends endless
    // loops: each loop of these kernels counts up to a bound, and the driver ends one after 65,535 rounds.
    unsafe {
        device.create_shader_module_passthrough(wgpu::ShaderModuleDescriptorPassthrough {
            label: Some(label),
            entry_points: (&entry_points[..]).into(),
            spirv: Some(words.into()),
            ..Default::default()
        })
    }
}

/// naga's translation at these pipeline constants.
pub(super) fn spirv(label: &str, text: &str, constants: &[(&'static str, f64)]) -> Vec<u32> {
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
        force_loop_bounding: false,
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
const LOOP_MERGE: u32 = 246;
/// `OpVariable` with an initialiser: code, type, result, storage class, initialiser.
const INITIALISED: usize = 5;
/// `OpLoopMerge`'s wish that the loop be unrolled; one whose end is not known to the compiler stays a loop.
const UNROLL: u32 = 1;

/// The same module whose array variables start with whatever memory holds, and whose loops ask to be unrolled. Scalars
/// and structs keep their zeros: naga writes `var k = 0u` as such an initialiser too.
pub(super) fn rewritten(words: &[u32]) -> Vec<u32> {
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
        match *instruction {
            [code, kind, result, class, initial]
                if code == (INITIALISED as u32) << 16 | VARIABLE
                    && pointers_to_arrays.contains(&kind)
                    && nulls.contains(&initial) =>
            {
                kept.extend([(INITIALISED as u32 - 1) << 16 | VARIABLE, kind, result, class]);
            }
            [code, end, next, _] if code & 0xffff == LOOP_MERGE => {
                kept.extend([code, end, next, UNROLL]);
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

    fn loop_wishes(words: &[u32]) -> Vec<u32> {
        let mut wishes = Vec::new();
        let mut rest = &words[HEADER..];
        while let Some(first) = rest.first() {
            if first & 0xffff == LOOP_MERGE {
                wishes.push(rest[3]);
            }
            rest = &rest[(first >> 16) as usize..];
        }
        wishes
    }

    #[test]
    fn arrays_lose_their_initial_zeros_and_loops_ask_to_be_unrolled() {
        let before = spirv("a test", TEXT, &[("SCALE", 2.0)]);
        let after = rewritten(&before);
        let (with, without) = initialised(&before);
        assert!(with > 2, "{with} variables had an initialiser");
        assert_eq!(initialised(&after), (with - 2, without + 2));
        assert_eq!(after.len(), before.len() - 2);
        assert_eq!((loop_wishes(&before), loop_wishes(&after)), (vec![0], vec![UNROLL]));
        assert_eq!(rewritten(&after), after);
    }
}
