//! What each program used while it was measured: processor time, and memory. Read from `/proc`: elsewhere nothing is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Microseconds of one tick of the kernel's clock as it is told to programs: 100 a second, on every Linux.
const TICK_MICROS: u64 = 10_000;
/// The state of a listening socket in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// What one program used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// In user and in kernel mode.
    pub cpu_micros: u64,
    /// Resident at the end of a run: of several runs, the most.
    pub peak_kib: u64,
}

impl Used {
    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        self.cpu_micros += other.cpu_micros;
        self.peak_kib = self.peak_kib.max(other.peak_kib);
    }
}

/// A program, known by the port that it listens on.
pub struct Program {
    name: &'static str,
    roots: BTreeSet<u32>,
}

impl Program {
    /// The program behind a port of this machine: whoever holds its socket.
    pub fn behind(name: &'static str, port: u16) -> Self {
        Self::behind_any(name, &[port])
    }

    /// The programs behind any of these ports, taken together.
    pub fn behind_any(name: &'static str, ports: &[u16]) -> Self {
        let sockets: BTreeSet<PathBuf> = ports.iter().flat_map(|port| sockets(*port)).collect();
        let holds = |process: &u32| {
            let Ok(open) = fs::read_dir(of_process(*process, "fd")) else { return false };
            open.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|to| sockets.contains(&to)))
        };
        Self { name, roots: processes().into_iter().filter(holds).collect() }
    }

    /// What it has used until now, with all processes that it has started and that still run.
    fn used(&self) -> Used {
        let all = processes();
        let below = all.iter().filter(|process| {
            self.roots.contains(process)
                || stat(**process).is_some_and(|stat| self.roots.contains(&stat.parent))
        });
        let mut sum = Used::default();
        for process in below {
            sum.cpu_micros += stat(*process).map_or(0, |stat| stat.ticks * TICK_MICROS);
            sum.peak_kib += resident(*process).unwrap_or(0);
        }
        sum
    }
}

/// What these have used until now.
pub fn of(programs: &[Program]) -> BTreeMap<&'static str, Used> {
    programs.iter().map(|program| (program.name, program.used())).collect()
}

/// What these have used since `before`.
pub fn since(before: &BTreeMap<&'static str, Used>, programs: &[Program]) -> BTreeMap<&'static str, Used> {
    let mut now = of(programs);
    for (program, used) in &mut now {
        used.cpu_micros = used.cpu_micros.saturating_sub(before[program].cpu_micros);
    }
    now
}

/// The links that a process has to the sockets listening on a port.
fn sockets(port: u16) -> BTreeSet<PathBuf> {
    let table = |name: &str| fs::read_to_string(PathBuf::from("/proc/net").join(name)).unwrap_or_default();
    let tables = table("tcp") + &table("tcp6");
    let lines = tables.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let suffix = format!(":{port:04X}");
    lines
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&suffix) && fields[3] == LISTENS)
        .map(|fields| PathBuf::from(format!("socket:[{}]", fields[9])))
        .collect()
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn of_process(process: u32, file: &str) -> PathBuf {
    PathBuf::from("/proc").join(process.to_string()).join(file)
}

struct Stat {
    parent: u32,
    ticks: u64,
}

/// proc(5): the name in parentheses may hold anything; after it come the state, the parent and numbers.
fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(of_process(process, "stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat { parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
}

fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(of_process(process, "status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}
