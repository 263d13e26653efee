//! Compiled pipelines kept from one process to the next, where the backend can hand them out (Vulkan).
//!
//! What comes in is a device and a folder, what goes out a `wgpu::PipelineCache` to make pipelines with, and a file in
//! that folder. A file that is missing, damaged, or another driver's costs nothing but the compilation; one that cannot
//! be written is not. Nothing here knows of kernels.

mod file;
mod revive;

use super::lock;
use crate::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The environment variable by which users move the folder, or want none.
const VARIABLE: &str = "AWL_PIPELINE_CACHE";
/// A cache beyond this size is begun anew: it holds the kernels of networks that nobody trains any more.
const MOST_BYTES: u64 = 64 << 20;

/// A device's pipeline cache and the file that it is kept in.
pub(super) struct Store {
    cache: wgpu::PipelineCache,
    path: PathBuf,
    /// What the driver handed out when the cache was opened, or last written: neither is news. It may be more than the
    /// file holds, since SwiftShader puts what it is given into what it hands out.
    known: Mutex<Vec<u8>>,
}

impl Store {
    /// The store of this device in `folder`; `None` where its backend has no pipeline cache, or it was opened without
    /// `Features::PIPELINE_CACHE`.
    pub async fn open(device: &wgpu::Device, folder: &Path) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(&device.adapter_info())?;
        let path = folder.join(key);
        let cache = match file::read(&path, MOST_BYTES) {
            Some(data) => revive::cache(device, Some(&data)).await,
            None => None,
        };
        let cache = match cache {
            Some(cache) => cache,
            None => revive::cache(device, None).await?,
        };
        let known = cache.get_data().unwrap_or_default();
        Some(Self { cache, path, known: Mutex::new(known) })
    }

    /// What to make pipelines with.
    pub fn cache(&self) -> &wgpu::PipelineCache {
        &self.cache
    }

    /// Writes the file, if pipelines were made that the driver hands out. One that cannot be written is left as it is.
    pub fn save(&self) {
        let Some(data) = self.cache.get_data() else {
            return;
        };
        let mut known = lock(&self.known);
        if *known != data && file::write(&self.path, &data).is_ok() {
            *known = data;
        }
    }
}

/// The folder where pipelines are kept unless a program says otherwise: `AWL_PIPELINE_CACHE`, or `awl` in the user's
/// cache directory; `None` where that variable says `off`, or there is no such directory.
pub(super) fn folder() -> Option<PathBuf> {
    chosen(std::env::var_os(VARIABLE), users_caches)
}

#[cfg(not(target_arch = "wasm32"))]
fn users_caches() -> Option<PathBuf> {
    use etcetera::{BaseStrategy, base_strategy::choose_native_strategy};
    choose_native_strategy().ok().map(|user| user.cache_dir())
}

/// A browser keeps pipelines by itself.
#[cfg(target_arch = "wasm32")]
fn users_caches() -> Option<PathBuf> {
    None
}

fn chosen(variable: Option<OsString>, user: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
    match variable {
        Some(word) if word.is_empty() || word == "off" || word == "0" => None,
        Some(folder) => Some(folder.into()),
        None => user().map(|caches| caches.join("awl")),
    }
}

/// The error for a device that keeps no pipelines.
pub(super) fn none() -> Error {
    Error::invalid(
        "this device cannot keep compiled pipelines",
        "open it with wgpu::Features::PIPELINE_CACHE, which Vulkan has, or do without",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gpu;
    use pollster::block_on;

    #[test]
    fn the_folder_is_the_users_unless_the_variable_says_otherwise() {
        let user = || Some(PathBuf::from("caches"));
        assert_eq!(chosen(None, user), Some(Path::new("caches").join("awl")));
        assert_eq!(chosen(None, || None), None);
        assert_eq!(chosen(Some("elsewhere".into()), user), Some("elsewhere".into()));
        for off in ["", "off", "0"] {
            assert_eq!(chosen(Some(off.into()), user), None, "{off:?}");
        }
    }

    /// Data whose checksum is right and that this driver cannot use: not wgpu's at all, or another adapter's, or another
    /// driver's, or another length than its header says.
    #[test]
    fn foreign_data_count_as_none() {
        let gpu = block_on(Gpu::new()).expect("a GPU");
        let folder = std::env::temp_dir().join(format!("awl-foreign-{}", std::process::id()));
        let open = || block_on(Store::open(gpu.device(), &folder));
        let Some(first) = open() else {
            let has = gpu.device().features().contains(wgpu::Features::PIPELINE_CACHE);
            assert!(!has, "the device has pipeline caches, but no store was made");
            return;
        };
        let own = first.cache().get_data().expect("data");
        // wgpu's header: magic, version, word size, backend, adapter, driver; then lengths and the driver's data.
        let changed = |place: usize| {
            let mut data = own.clone();
            data[place] ^= 1;
            data
        };
        let [version, word, backend, adapter, driver, length] =
            [8, 12, 16, 20, 32, 48].map(changed);
        let cut = own[..own.len() - 1].to_vec();
        let others = [version, word, backend, adapter, driver, length, cut, vec![], vec![7; 500]];
        for (case, data) in others.into_iter().enumerate() {
            file::write(&first.path, &data).expect("a file");
            let store = open().unwrap_or_else(|| panic!("case {case}: no store"));
            assert_eq!(store.cache().get_data().as_ref(), Some(&own), "case {case}");
            store.save();
            let kept = file::read(&store.path, MOST_BYTES);
            assert_eq!(kept.as_ref(), Some(&data), "case {case}: written without news");
            lock(&store.known).clear();
            store.save();
            let kept = file::read(&store.path, MOST_BYTES);
            assert_eq!(kept.as_ref(), Some(&own), "case {case}: news were not written");
        }
        assert!(gpu.check().is_ok());
        std::fs::remove_dir_all(&folder).expect("the folder");
    }
}
