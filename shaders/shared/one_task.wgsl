// What the unfused loss kernels share: each works on one task's columns of the step's rows.

struct Which {
    task: u32,
}

@group(0) @binding(0) var<storage, read> which: Which;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;

fn label_row(row: u32) -> u32 {
    return order[member.first + row];
}
