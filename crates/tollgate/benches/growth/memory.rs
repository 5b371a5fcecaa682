//! What a process holds, and how many files it may have open. Read from `/proc`, which Linux alone has.

use std::fs;

/// KiB of memory that are resident.
pub fn resident(process: u32) -> u64 {
    field(&fs::read_to_string(format!("/proc/{process}/status")).unwrap(), "VmRSS:")
}

/// Files that this process, and who it starts, may have open at once.
pub fn files() -> u64 {
    field(&fs::read_to_string("/proc/self/limits").unwrap(), "Max open files")
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap_or(u64::MAX)
}
