// Where a workgroup stands. A dimension holds at most 65,535 workgroups, so the host folds longer
// grids into two dimensions (`gpu::grid`), and every kernel unfolds them here.

const LANES = 64u;

// The workgroup's number in the unfolded grid; it may lie past the end by less than a row of the grid.
fn unfolded(workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return workgroup.y * workgroups.x + workgroup.x;
}
