// What is drawn at random. Rust twin: `data::pcg4d`, bit for bit.

// Four words from four: Jarzynski & Olano, Hash Functions for GPU Rendering (2020).
fn pcg4d(words: vec4<u32>) -> vec4<u32> {
    var v = words * 1664525u + 1013904223u;
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    v ^= v >> vec4(16u);
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    return v;
}
