// A training step: a slot of a buffer that the host fills for hundreds of steps at once. Rust twin:
// `engine::device::infos::StepInfo`.

struct Step {
    number: u32,        // counted from 1 over the run
    first: u32,         // position of the batch's first row in the epoch's order
    rows: u32,          // rows of this batch; the last batch of an epoch may be short
    batch: u32,         // the batch's number in its epoch
    record: u32,        // slot of the ring of records
    // Network group: learning rate / (1 - beta1^t), and sqrt(1 - beta2^t). The rates are those of this step of the
    // schedule.
    step_size: f32,
    root_correction: f32,
    learning_rate: f32, // network group, for decoupled weight decay
    sigma_learning_rate: f32,
    // The epoch's permutation.
    key_even: u32,
    key_odd: u32,
    domain_bits: u32,   // 0: rows in order
    run: u32,           // steps of this submission from this one to the next new order of the rows
    // The key of its dropout.
    dropout_low: u32,
    dropout_high: u32,
}
