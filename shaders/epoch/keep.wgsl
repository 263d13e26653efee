// Keeps a copy of the training state from before a submission, unless training has stopped: a step that cannot be finished
// for a gradient that is not finite has updated some parameters by the time that another finds out.
//
// One invocation an element of a member's state.
// Reads: state, stop        Writes: kept, laid out as the state

@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read> stop: array<u32>;
@group(0) @binding(2) var<storage, read_write> kept: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i >= arrayLength(&kept) / step.seats || min(stop[2u * member.number], stop[2u * member.number + 1u]) < step.number {
        return;
    }
    kept[member.state + i] = state[member.state + i];
}
