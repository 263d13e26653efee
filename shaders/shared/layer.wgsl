// A linear layer: outputs [rows, outputs] = inputs [rows, inputs] . weight^T + bias, with its weight
// [outputs, inputs] and bias [outputs] inside the flat parameters. Rust twin: `engine::device::infos::LayerInfo`.

struct Layer {
    inputs: u32,
    outputs: u32,
    weight: u32,        // where the weight starts in the parameters
    bias: u32,          // where the bias starts
    activation: u32,
    gathers: u32,       // 1: the input is the dataset, its rows picked through the epoch's order
    shares: u32,        // into how many shares the rows are split for the weight's gradient
    share_rows: u32,    // rows a share
    share_stride: u32,  // from a share to the next: all parameters of the network
}
