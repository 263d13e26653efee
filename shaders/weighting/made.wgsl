// What a scheme's functions find after a step, in the kernel that made its record.

fn loss_of(k: u32) -> f32 {
    return records[record_at(task_count(), k, RECORD_LOSS)];
}

fn is_labelled(k: u32) -> bool {
    return records[record_at(task_count(), k, RECORD_NORMALISER)] > 0.0;
}

fn then_of(k: u32) -> f32 {
    return loss_of(k);
}

fn weight_of(k: u32) -> f32 {
    return state[member.sigma + k];
}

fn set_weight(k: u32, weight: f32) {
    state[member.sigma + k] = weight;
    keep_sigma(k);
}
