// A share of the bias's gradient: the column sums of gradient [rows, outputs] over a run of rows.
//
// One workgroup a run of 8 columns of one share: lane l sums column l % 8 over every eighth row.
// Writes: gradient_shares [shares, parameters], this bias's part of this share

const COLUMNS = 8u;

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient_shares: array<f32>;

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let runs = (layer.outputs + COLUMNS - 1u) / COLUMNS;
    let number = unfolded(workgroup, workgroups);
    let share = number / runs;
    if share >= layer.shares {
        return;
    }
    let column = number % runs * COLUMNS + lane % COLUMNS;
    let from_row = min(share * layer.share_rows, step.rows);
    let to_row = min(from_row + layer.share_rows, step.rows);
    var own: LongSum;
    if column < layer.outputs {
        for (var row = from_row + lane / COLUMNS; row < to_row; row += LANES / COLUMNS) {
            add_term(&own, gradient[row * layer.outputs + column]);
        }
    }
    var sum = sum_of(own);
    partial[lane] = sum;
    workgroupBarrier();
    if lane < COLUMNS && column < layer.outputs {
        for (var other = lane + COLUMNS; other < LANES; other += COLUMNS) {
            sum += partial[other];
        }
        gradient_shares[share * layer.share_stride + layer.bias + column] = sum;
    }
}
