// The tasks that take part in a Gram matrix of gradients: those that have one. Rust twin: `weighting::gradients::weights`.
//
// The kernel has: task_count(); gram_of(i, j), the product of two tasks' gradients; loss_of(k); memory_of(k, i), set_memory(k, i,
// value); set_weight(k, weight); setting(i); step_number() and draw_key(). A scheme goes through `tasks` tasks, of which the
// k-th is present[k] there; and LEAST_LOSS.

const MOST_TASKS = 16u;
// The part of every gradient's own square that is added to it where a scheme solves.
const RIDGE = 1e-6;
// A gradient whose square is below what f32 holds counts as none.
const LEAST_SQUARE = 1.1754944e-38;

var<private> tasks: u32;
var<workgroup> present: array<u32, MOST_TASKS>;
// Of the Gram matrix.
var<private> trace: f32;

// The product of the gradients of the i-th and j-th of them, for a trace of 1.
fn gram(i: u32, j: u32) -> f32 {
    return gram_of(present[i], present[j]) / trace;
}

fn loss(k: u32) -> f32 {
    return max(loss_of(present[k]), LEAST_LOSS);
}

// Finds them, and gives all others the weight 0. Whether the whole Gram matrix is finite.
fn find_present() -> bool {
    tasks = 0u;
    trace = 0.0;
    var all_finite = true;
    for (var k = 0u; k < task_count(); k++) {
        set_weight(k, 0.0);
        let square = gram_of(k, k);
        if square >= LEAST_SQUARE {
            present[tasks] = k;
            tasks += 1u;
            trace += square;
        }
        for (var j = 0u; j < task_count(); j++) {
            all_finite = all_finite && is_finite(gram_of(k, j));
        }
    }
    return all_finite && is_finite(trace);
}
