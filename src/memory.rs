//! How much memory there is left. It is asked before anything is made of a size that somebody gave: a system that has none left
//! ends programs, and says nothing.

use std::fs::read_to_string;

/// Bytes that this process can still get by what Linux says: of the machine's memory, of its control group's and of its own limit
/// (`ulimit -v`) the least. `None` on systems that say nothing.
pub fn free_memory() -> Option<u64> {
    let read = |path: &str| read_to_string(path).unwrap_or_default();
    let group = |file: &str| read(&format!("/sys/fs/cgroup/memory.{file}"));
    let of_machine = available(&read("/proc/meminfo"));
    let of_group = left_in_group(&group("max"), &group("current"), &group("stat"));
    let of_process = left_of_limit(&read("/proc/self/limits"), &read("/proc/self/status"));
    [of_machine, of_group, of_process].into_iter().flatten().min()
}

/// What is to stay free while a table is read.
const RESERVE: u64 = 256 << 20;

/// Checks that there is room for more rows of a table that has so many: for a column to grow beyond what it was reserved for, and
/// some to go on with.
pub(crate) fn check_room(rows: usize) -> Result<(), String> {
    match free_memory() {
        Some(free) if free < RESERVE + 24 * rows as u64 => Err(format!(
            "no more than {} MiB of memory are free, too little for the rest of the table: take a part of its rows or columns",
            free >> 20
        )),
        _ => Ok(()),
    }
}

/// Of `/proc/meminfo`: what is free, and what would be freed.
fn available(meminfo: &str) -> Option<u64> {
    kilobytes(meminfo, "MemAvailable:")
}

/// Of `memory.max`, `memory.current` and `memory.stat`: what a control group may still take, its idle copies of files not counted.
fn left_in_group(max: &str, current: &str, stat: &str) -> Option<u64> {
    let max: u64 = max.trim().parse().ok()?;
    let current: u64 = current.trim().parse().ok()?;
    let files = stat.lines().find_map(|line| line.strip_prefix("inactive_file "));
    let files: u64 = files.and_then(|it| it.trim().parse().ok()).unwrap_or(0);
    Some(max.saturating_sub(current.saturating_sub(files)))
}

/// Of `/proc/self/limits` and `/proc/self/status`: what of its address space a process has not taken.
fn left_of_limit(limits: &str, status: &str) -> Option<u64> {
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
    Some(limit.saturating_sub(kilobytes(status, "VmSize:")?))
}

/// The bytes of a line `<name> <number> kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let kilobytes = text.lines().find_map(|line| line.strip_prefix(name))?;
    kilobytes.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_what_linux_says_and_nothing_where_it_says_nothing() {
        let meminfo = "MemTotal:       24605824 kB\nMemAvailable:   23068672 kB\nBuffers:  1 kB\n";
        assert_eq!(available(meminfo), Some(22 << 30));
        for other in ["", "MemFree: 1 kB", "MemAvailable: much", "MemAvailable: 12 MB"] {
            assert_eq!(available(other), None, "{other:?}");
        }
    }

    #[test]
    fn limits_count_less_what_is_taken() {
        let stat = "anon 5\ninactive_file 300\n";
        assert_eq!(left_in_group("1000\n", "700\n", stat), Some(600));
        assert_eq!(left_in_group("1000\n", "1700\n", ""), Some(0));
        assert_eq!(left_in_group("max\n", "700\n", stat), None);
        let status = "VmPeak:\t 9 kB\nVmSize:\t    1024 kB\n";
        let limit =
            |it: &str| format!("Max cpu time  unlimited\nMax address space         {it} bytes\n");
        assert_eq!(left_of_limit(&limit("2097152      unlimited"), status), Some(1 << 20));
        assert_eq!(left_of_limit(&limit("unlimited    unlimited"), status), None);
    }
}
