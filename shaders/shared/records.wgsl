// The ring of records, a slot a step: [total, then loss, weight, sigma and normaliser of each task], the values
// before the step's update. Rust twin: `engine::outcome`.

const RECORD_LOSS = 0u;
const RECORD_WEIGHT = 1u;
const RECORD_SIGMA = 2u;
const RECORD_NORMALISER = 3u;
const RECORD_FIELDS = 4u;

fn record_slot(tasks: u32) -> u32 {
    return member.record * (1u + RECORD_FIELDS * tasks);
}

fn record_at(tasks: u32, k: u32, field: u32) -> u32 {
    return record_slot(tasks) + 1u + RECORD_FIELDS * k + field;
}
