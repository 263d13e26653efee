//! What costs much, on all cores: the same results, in the same order.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::thread::{Builder, available_parallelism, scope};

/// Cells below which a thread costs more than it saves.
const FEW: usize = 100_000;

thread_local! {
    /// Whether this thread is one of several already.
    static IS_ONE_OF_MANY: Cell<bool> = const { Cell::new(false) };
}

/// Number of threads that can run at once; 1 where that is unknown, as in a browser.
pub(super) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// `make(0)`, `make(1)`, … `make(count - 1)`, which look at so many cells together.
pub(super) fn in_parallel<T: Send>(
    count: usize,
    cells: usize,
    make: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let threads = cores().min(count);
    if threads < 2 || cells < FEW || IS_ONE_OF_MANY.get() {
        return (0..count).map(make).collect();
    }
    on_threads(threads, count, &make)
}

/// The same on so many threads, each of which takes a run of neighbours.
pub(super) fn on_threads<T: Send>(
    threads: usize,
    count: usize,
    make: &(impl Fn(usize) -> T + Sync),
) -> Vec<T> {
    let runs = (0..threads).map(|thread| count * thread / threads..count * (thread + 1) / threads);
    scope(|scope| {
        let handles = runs.map(|run| {
            let own = run.clone();
            let work = move || {
                IS_ONE_OF_MANY.set(true);
                own.map(make).collect::<Vec<T>>()
            };
            (run, Builder::new().spawn_scoped(scope, work))
        });
        let handles: Vec<_> = handles.collect();
        let results = handles.into_iter().map(|(run, handle)| match handle {
            Ok(handle) => handle.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // A system that gives no thread has this one.
            Err(_) => run.map(make).collect(),
        });
        results.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_none_is_left_out() {
        for (threads, count) in [(2, 2), (2, 7), (3, 7), (5, 5), (16, 100), (7, 3)] {
            let found = on_threads(threads, count, &|index| index * index);
            let expected: Vec<usize> = (0..count).map(|index| index * index).collect();
            assert_eq!(found, expected, "{count} on {threads} threads");
        }
    }

    #[test]
    fn threads_start_no_threads() {
        let inner = |_| in_parallel(4, FEW, |_| std::thread::current().id());
        for ids in on_threads(2, 2, &inner) {
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        }
    }
}
