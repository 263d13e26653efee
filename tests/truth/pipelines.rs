//! Compiled pipelines that are kept from one device to the next: what is in their file never matters but for time.

use super::support::{constant_feature, linear, numbers, regression, run, state_of};
use awl::engine::{GpuEngine, Step};
use awl::wgpu::{self, Features};
use awl::{Adam, AutomaticWeightedLoss, Gpu};
use pollster::block_on;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of this test's own, not made yet, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("awl-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A device of the caller's own, with a pipeline cache if `wanted` and where the adapter has one.
fn own_device(wanted: bool) -> Gpu {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = block_on(instance.request_adapter(&Default::default())).expect("an adapter");
    let wanted = if wanted { Features::PIPELINE_CACHE } else { Features::empty() };
    let descriptor = wgpu::DeviceDescriptor {
        required_features: adapter.features() & wanted,
        ..Default::default()
    };
    let (device, queue) = block_on(adapter.request_device(&descriptor)).expect("a device");
    Gpu::from_device(device, queue).expect("a device with WebGPU's limits")
}

/// The bits of the parameters after three steps.
fn train(gpu: &Gpu) -> Vec<u64> {
    let tasks = [regression("a"), regression("b")];
    let recipe = linear(&tasks, AutomaticWeightedLoss::new(2), Adam::new(0.1), 4);
    let targets = vec![numbers(&[1.0, 2.0, 3.0, 4.0]), numbers(&[4.0, 3.0, 2.0, 0.0])];
    let data = constant_feature(0.5, targets);
    let mut engine = block_on(GpuEngine::fused(gpu, recipe, &data)).expect("an engine");
    let steps = [1, 2, 3].map(|number| Step::numbered(number, 4, 4));
    run(&mut engine, &steps).expect("three steps");
    let state = state_of(&mut engine);
    state.parameters.iter().chain(&state.sigma).map(|value| value.to_bits()).collect()
}

fn keep(gpu: &Gpu, folder: &Path) -> bool {
    let kept = block_on(gpu.keep_pipelines(folder));
    let has = gpu.device().features().contains(Features::PIPELINE_CACHE);
    assert_eq!(kept.is_ok(), has, "{kept:?}");
    has
}

#[test]
fn training_is_the_same_with_a_kept_a_missing_and_a_damaged_file() {
    let folder = Folder::new("pipelines");
    let plain = train(&own_device(false));
    assert!(folder.files().is_empty(), "nobody asked for a file");
    let gpu = own_device(true);
    if !keep(&gpu, &folder.0) {
        // Nothing can be kept on this backend, and `keep_pipelines` said so.
        assert_eq!(train(&gpu), plain);
        return;
    }
    assert_eq!(train(&gpu), plain, "the folder is new");
    // A driver that hands out no code leaves no file.
    let key = wgpu::util::pipeline_cache_key(&gpu.device().adapter_info()).expect("a name");
    let file = folder.0.join(key);
    let whole = fs::read(&file).unwrap_or_default();
    assert_eq!(folder.files().len(), usize::from(!whole.is_empty()));
    fs::create_dir_all(&folder.0).expect("the folder");
    let damages: [&[u8]; 4] = [&whole, b"", b"nonsense", &whole[..whole.len() / 2]];
    for (case, bytes) in damages.into_iter().enumerate() {
        fs::write(&file, bytes).expect("a file");
        let gpu = own_device(true);
        assert!(keep(&gpu, &folder.0));
        assert_eq!(train(&gpu), plain, "case {case}");
        assert_eq!(folder.files(), std::slice::from_ref(&file), "case {case}: drafts were left");
    }
}

#[test]
fn a_folder_that_cannot_be_made_costs_nothing() {
    let folder = Folder::new("no-folder");
    fs::write(&folder.0, "in the way").expect("a file");
    let gpu = own_device(true);
    keep(&gpu, &folder.0);
    assert_eq!(train(&gpu), train(&own_device(false)));
    assert_eq!(fs::read_to_string(&folder.0).expect("a file"), "in the way");
    fs::remove_file(&folder.0).expect("the file");
}

#[test]
fn a_device_without_pipeline_caches_says_so() {
    let error = block_on(own_device(false).keep_pipelines(Path::new("nowhere")));
    let text = error.expect_err("it has none").to_string();
    assert!(text.contains("PIPELINE_CACHE"), "{text}");
    assert!(!Path::new("nowhere").exists());
}
