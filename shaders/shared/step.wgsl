// A training step: what it is for all members of a fleet, and what it is for each. The host fills a slot for each of hundreds of
// steps at once. Rust twins: `engine::device::infos::StepInfo`, `MemberInfo`.

struct Step {
    number: u32,        // counted from 1 over the run
    rows: u32,          // rows of this batch; the last batch of an epoch may be short
    most_rows: u32,     // rows of a full batch
    slot: u32,          // its slot in the submission
    run: u32,           // steps of this submission from this one to the next new order of the rows
    domain_bits: u32,   // of the epoch's permutations; 0: rows in order
    seats: u32,         // members that there is room for
    ends_epoch: u32,    // 1: it is the last of its epoch
}

// The most members of a dispatch: what WebGPU's smallest uniform binding holds.
const MOST_MEMBERS = 1024u;

// Where things of all members lie one after the other, the member's start is said here.
struct Member {
    number: u32,        // in the fleet
    state: u32,         // where its parameters start in the state, see shared/optimizer.wgsl
    sigma: u32,         // where its sigmas (the weighting's parameters) start there
    all: u32,           // how many its parameters are, sigma included
    first: u32,         // position of the batch's first row in the epoch's orders
    batch: u32,         // the batch's number among the normalisers
    record: u32,        // slot of the ring of records
    scheme: u32,        // its weighting, see shared/weighting.wgsl
    // Network group: learning rate / (1 - beta1^t), and sqrt(1 - beta2^t). The rates are those of this step of the
    // schedule.
    step_size: f32,
    root_correction: f32,
    learning_rate: f32, // network group, for decoupled weight decay
    sigma_learning_rate: f32,
    // The epoch's permutation.
    key_even: u32,
    key_odd: u32,
    // The key of what it draws at random: dropout, weights.
    draws_low: u32,
    draws_high: u32,
}
