//! A pipeline cache from bytes that a file kept: one of the three places with unsafe code.
#![allow(unsafe_code)]

/// A cache that begins with what `data` holds, or empty. `None` if wgpu refuses, as it does with another adapter's data.
pub(super) async fn cache(
    device: &wgpu::Device,
    data: Option<&[u8]>,
) -> Option<wgpu::PipelineCache> {
    let (cache, refused) = {
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::PipelineCacheDescriptor {
            label: Some("awl"),
            data,
            // Data of another version of the driver or of wgpu counts as none.
            fallback: true,
        };
        // SAFETY: the bytes must be what `PipelineCache::get_data` once gave. `file::read` hands over only those whose
        // checksum is right, so that they are what `file::write` wrote, which `Store::save` calls with nothing else;
        // and, on Unix, only from a file that nobody but its owner can write to. wgpu itself compares adapter, driver
        // and version, and gives the driver no bytes of another. What remains is an owner who forges the file, and
        // who could as well forge the program.
        let cache = unsafe { device.create_pipeline_cache(&descriptor) };
        (cache, scope.pop())
    };
    match refused.await {
        None => Some(cache),
        Some(_) => None,
    }
}
