//! Compute pipelines: made once a source and set of constants, shared by everybody.

#[cfg(test)]
use super::counted;
use super::pipeline_cache::Store;
use super::shaders::{Access, Knows, Source};
use super::{Gpu, Work, lock};
use crate::error::Result;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// A compiled kernel.
pub(crate) struct Kernel {
    label: &'static str,
    knows: Knows,
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    /// Whether it counts the rounds of its loops, for a test.
    #[cfg(test)]
    counts: bool,
}

impl Kernel {
    /// Binds buffers to group 0, in the order of the source's bindings.
    pub fn bind(&self, gpu: &Gpu, buffers: &[wgpu::BindingResource<'_>]) -> wgpu::BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource: resource.clone() })
            .collect();
        gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.label),
            layout: &self.layout,
            entries: &entries,
        })
    }

    /// A dispatch of this kernel over these buffers.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) for more rounds of loops than the driver makes.
    pub fn dispatch(
        self: &Arc<Self>,
        gpu: &Gpu,
        buffers: &[wgpu::BindingResource<'_>],
        work: Work,
    ) -> Result<Dispatch> {
        gpu.check_work(self.label, work)?;
        let bound = buffers.iter().filter_map(|resource| match resource {
            wgpu::BindingResource::Buffer(binding) => Some(binding.buffer.clone()),
            _ => None,
        });
        #[cfg(test)]
        let counter = self.counts.then(|| counted::counter(gpu)).transpose()?;
        #[cfg(test)]
        let buffers = &counted::with(buffers, counter.as_ref())[..];
        Ok(Dispatch {
            bound: bound.collect(),
            bindings: self.bind(gpu, buffers),
            kernel: Arc::clone(self),
            grid: grid(work.workgroups),
            #[cfg(test)]
            rounds: work.rounds,
            #[cfg(test)]
            counter,
        })
    }
}

/// The step that a dispatch belongs to, for the kernels that know it, and for how many members it is made.
#[derive(Clone, Copy)]
pub(crate) struct StepGroups<'a> {
    /// Groups 1 and 2, and where in their buffers the step and its members lie.
    pub groups: [(&'a wgpu::BindGroup, u32); 2],
    pub members: u32,
}

/// A kernel with its buffers and its grid: all that a step has to record.
#[derive(Clone)]
pub(crate) struct Dispatch {
    kernel: Arc<Kernel>,
    bindings: wgpu::BindGroup,
    bound: Vec<wgpu::Buffer>,
    grid: [u32; 2],
    /// The most rounds of an invocation, as its maker said, and where they are counted.
    #[cfg(test)]
    pub rounds: usize,
    #[cfg(test)]
    pub counter: Option<super::Buffer<u32>>,
}

impl Dispatch {
    /// The kernel's name.
    pub fn label(&self) -> &'static str {
        self.kernel.label
    }

    /// The buffers of group 0.
    pub fn bound(&self) -> &[wgpu::Buffer] {
        &self.bound
    }

    /// Records the dispatch, for every member of a step or by itself.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, step: Option<StepGroups<'_>>) {
        pass.set_pipeline(&self.kernel.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        if let Some(step) = step {
            let [of_step, of_members] = step.groups;
            if self.kernel.knows != Knows::Alone {
                pass.set_bind_group(1, of_step.0, &[of_step.1]);
            }
            if self.kernel.knows == Knows::Members {
                pass.set_bind_group(2, of_members.0, &[of_members.1]);
            }
        }
        let [x, y] = self.grid;
        pass.dispatch_workgroups(x, y, step.map_or(1, |step| step.members));
    }
}

/// Folds a number of workgroups into two dimensions, since one holds at most 65,535. The kernels unfold it with
/// `unfolded` (`shaders/shared/grid.wgsl`) and ignore the few workgroups past the end.
fn grid(workgroups: usize) -> [u32; 2] {
    const MOST: usize = 65_535;
    let down = workgroups.div_ceil(MOST).max(1);
    let across = workgroups.div_ceil(down).max(1);
    [across as u32, down as u32]
}

/// A source's label, its prologue, its constants.
type Key = (&'static str, String, Vec<(&'static str, u64)>);

/// Kernels that are kept, in use or not: those of dozens of networks. Beyond, what nobody uses is dropped, so that a process that
/// trains networks of ever new shapes does not hold ever more.
const MOST_KEPT: usize = 512;

/// The kernels of a device.
#[derive(Default)]
pub(super) struct Cache {
    kernels: Mutex<HashMap<Key, Arc<Kernel>>>,
    /// Where compiled pipelines are kept beyond this process.
    store: OnceLock<Store>,
    /// Whether a kernel was compiled since the last `save`.
    has_news: AtomicBool,
    /// Whether kernels made from now on count the rounds of their loops.
    #[cfg(test)]
    pub counts_rounds: AtomicBool,
}

impl Cache {
    /// Keeps the pipelines made from now on, unless they are kept already.
    pub fn keep_in(&self, store: Store) {
        // The first one stays.
        let _ = self.store.set(store);
    }

    /// Writes what was compiled to where it is kept.
    pub fn save(&self) {
        if self.has_news.swap(false, Ordering::Relaxed) {
            self.store.get().into_iter().for_each(Store::save);
        }
    }

    /// What to make pipelines with.
    fn pipelines(&self) -> Option<&wgpu::PipelineCache> {
        self.store.get().map(Store::cache)
    }

    pub fn get(
        &self,
        device: &wgpu::Device,
        source: &'static Source,
        prologue: &str,
        constants: &[(&'static str, f64)],
    ) -> Arc<Kernel> {
        let bits = constants.iter().map(|(name, value)| (*name, value.to_bits()));
        let key = (source.label, prologue.to_string(), bits.collect());
        let mut kernels = lock(&self.kernels);
        if kernels.len() >= MOST_KEPT && !kernels.contains_key(&key) {
            drop_unused(&mut kernels);
        }
        let made = kernels.entry(key).or_insert_with(|| {
            self.has_news.store(true, Ordering::Relaxed);
            let pipelines = self.pipelines();
            #[cfg(not(test))]
            let kernel = compile(device, source, prologue, constants, pipelines);
            #[cfg(test)]
            let counts = self.counts_rounds.load(Ordering::Relaxed);
            #[cfg(test)]
            let kernel = compile(device, source, prologue, constants, pipelines, counts);
            Arc::new(kernel)
        });
        Arc::clone(made)
    }
}

/// Drops what nobody else holds.
fn drop_unused<K, T>(kept: &mut HashMap<K, Arc<T>>) {
    kept.retain(|_, it| Arc::strong_count(it) > 1);
}

fn compile(
    device: &wgpu::Device,
    source: &'static Source,
    prologue: &str,
    constants: &[(&'static str, f64)],
    cache: Option<&wgpu::PipelineCache>,
    #[cfg(test)] counts: bool,
) -> Kernel {
    let label = source.label;
    #[cfg(not(test))]
    let bindings = source.bindings;
    #[cfg(test)]
    let bindings = &counted::bindings(source.bindings, counts)[..];
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &layout_entries(bindings, false),
    });
    let step_layout = step_layout(device);
    let groups: &[_] = match source.knows {
        Knows::Alone => &[Some(&layout)],
        Knows::Step => &[Some(&layout), Some(&step_layout)],
        Knows::Members => &[Some(&layout), Some(&step_layout), Some(&step_layout)],
    };
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: groups,
        immediate_size: 0,
    });
    let text = prologue.to_string() + &source.text();
    #[cfg(test)]
    let text = if counts { counted::text(source, &text) } else { text };
    let (module, constants) = match source.vector {
        true => (vector_module(device, label, &text, constants), &[][..]),
        false => {
            let source = wgpu::ShaderSource::Wgsl(text.into());
            let descriptor = wgpu::ShaderModuleDescriptor { label: Some(label), source };
            (device.create_shader_module(descriptor), constants)
        }
    };
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants,
            // Every kernel writes workgroup memory before it reads it.
            zero_initialize_workgroup_memory: false,
        },
        cache,
    });
    Kernel {
        label,
        knows: source.knows,
        pipeline,
        layout,
        #[cfg(test)]
        counts,
    }
}

/// A module that has its constants in it.
#[cfg(not(target_arch = "wasm32"))]
fn vector_module(
    device: &wgpu::Device,
    label: &'static str,
    text: &str,
    constants: &[(&'static str, f64)],
) -> wgpu::ShaderModule {
    let lanes = super::software::lanes(device).unwrap_or(8);
    super::software::module(device, label, text, lanes, constants)
}

#[cfg(target_arch = "wasm32")]
fn vector_module(
    _: &wgpu::Device,
    label: &'static str,
    _: &str,
    _: &[(&'static str, f64)],
) -> wgpu::ShaderModule {
    unreachable!("{label} runs on software adapters for Vulkan, which no browser gives")
}

/// The layout of groups 1 and 2: the step, or its members, at a dynamic offset.
pub(super) fn step_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("step"),
        entries: &layout_entries(&[Access::Uniform], true),
    })
}

fn layout_entries(bindings: &[Access], dynamic: bool) -> Vec<wgpu::BindGroupLayoutEntry> {
    let entry = |(&access, binding): (&Access, u32)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: match access {
                Access::Uniform => wgpu::BufferBindingType::Uniform,
                Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
                Access::Write => wgpu::BufferBindingType::Storage { read_only: false },
            },
            has_dynamic_offset: dynamic,
            min_binding_size: None,
        },
        count: None,
    };
    bindings.iter().zip(0..).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::{drop_unused, grid};
    use std::collections::HashMap;
    use std::sync::Arc;

    #[test]
    fn only_what_nobody_uses_is_dropped() {
        let used = Arc::new("used");
        let mut kept = HashMap::from([(1, used.clone()), (2, Arc::new("not used"))]);
        drop_unused(&mut kept);
        assert_eq!(Vec::from_iter(kept), [(1, used)]);
    }

    #[test]
    fn a_grid_holds_its_workgroups_and_little_more() {
        for workgroups in [0, 1, 65_535, 65_536, 131_070, 131_071, 1_000_000, 20_000_000] {
            let [x, y] = grid(workgroups);
            assert!(x <= 65_535 && y <= 65_535, "{workgroups}");
            let total = x as usize * y as usize;
            assert!(total >= workgroups.max(1), "{workgroups}");
            assert!(total < workgroups.max(1) + y as usize, "{workgroups}");
        }
    }
}
