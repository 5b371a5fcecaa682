//! What was measured: for each number of gateways, what a call costs in each program.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use domain::Clock;
use serde_json::{Value, json};

use crate::load::Sample;
use crate::report::say;
use crate::usage::Used;

const PROGRAMS: [&str; 5] = ["gateways", "redis", "drain", "postgres", "upstream"];

/// All calls, and what each program used.
type Run = (Sample, BTreeMap<&'static str, Used>);

/// Samples of all rounds, by Redis and number of gateways.
pub struct Report {
    rounds: usize,
    measured: Duration,
    runs: BTreeMap<(&'static str, usize), Run>,
}

impl Report {
    pub fn new(rounds: usize, measured: Duration) -> Self {
        Self { rounds, measured, runs: BTreeMap::new() }
    }

    pub fn add(
        &mut self,
        redis: &'static str,
        gateways: usize,
        sample: Sample,
        used: &BTreeMap<&'static str, Used>,
    ) {
        let (samples, sums) = self.runs.entry((redis, gateways)).or_default();
        samples.add(sample);
        samples.latencies.sort_unstable();
        for (program, used) in used {
            sums.entry(program).or_default().add(used);
        }
    }

    /// Whether every call of every run was answered with the tool's result.
    pub fn all_answered(&self) -> bool {
        self.runs.values().all(|(sample, _)| sample.wrong == 0 && !sample.latencies.is_empty())
    }

    /// Microseconds of processor time that a call costs in a program.
    fn cost(&self, redis: &'static str, gateways: usize, program: &str) -> u64 {
        let (sample, used) = &self.runs[&(redis, gateways)];
        used.get(program).map_or(0, |used| used.cpu_micros / sample.made.max(1))
    }

    /// Writes the table to standard output.
    pub fn print(&self) {
        let mut out = std::io::stdout().lock();
        let head = PROGRAMS.map(|program| format!("{program:>10}")).concat();
        writeln!(out, "processor time of a call in each program, in µs\n").unwrap();
        writeln!(out, "redis    gateways  calls/s  p50 µs  p99 µs{head}  gateways to one").unwrap();
        for ((redis, gateways), (sample, _)) in &self.runs {
            let costs =
                PROGRAMS.map(|program| format!("{:>10}", self.cost(redis, *gateways, program))).concat();
            let (one, now) = (self.cost(redis, 1, PROGRAMS[0]), self.cost(redis, *gateways, PROGRAMS[0]));
            let to_one = ratio(now, one);
            let rate = self.per_second(sample);
            let (p50, p99) = (at(sample, 50), at(sample, 99));
            writeln!(out, "{redis:<8} {gateways:>8} {rate:>8} {p50:>7} {p99:>7}{costs} {to_one:>16.2}")
                .unwrap();
        }
    }

    fn per_second(&self, sample: &Sample) -> u128 {
        let millis = self.measured.as_millis() * u128::try_from(self.rounds).unwrap();
        u128::try_from(sample.latencies.len()).unwrap() * 1000 / millis
    }

    /// Writes the numbers and what they were measured on into a file of `folder`, named after the moment.
    pub fn save(&self, folder: &Path) {
        let results: Vec<Value> = self
            .runs
            .iter()
            .map(|((redis, gateways), (sample, used))| {
                let costs = used.iter().map(|(program, used)| {
                    let cost = self.cost(redis, *gateways, program);
                    (*program, json!({ "cpu_micros_a_call": cost, "peak_kib": used.peak_kib }))
                });
                json!({
                    "redis": redis, "gateways": gateways, "calls": sample.made, "wrong": sample.wrong,
                    "p50_micros": at(sample, 50), "p99_micros": at(sample, 99),
                    "used": costs.collect::<BTreeMap<_, _>>(),
                })
            })
            .collect();
        let now = Clock::System.now();
        let report = json!({
            "measured_at": now.to_rfc3339(), "version": env!("CARGO_PKG_VERSION"),
            "cores": std::thread::available_parallelism().map_or(0, usize::from), "os": std::env::consts::OS,
            "rounds": self.rounds, "seconds_a_round": self.measured.as_secs(), "results": results,
        });
        std::fs::create_dir_all(folder).unwrap();
        let file = folder.join(format!("scaling-{}.json", now.format("%Y%m%dT%H%M%SZ")));
        std::fs::write(&file, serde_json::to_vec_pretty(&report).unwrap()).unwrap();
        say(&format!("written to target/bench/{}", file.file_name().unwrap_or_default().display()));
    }
}

fn ratio(now: u64, one: u64) -> f64 {
    f64::from(u32::try_from(now).unwrap()) / f64::from(u32::try_from(one.max(1)).unwrap())
}

fn at(sample: &Sample, percent: usize) -> u32 {
    let calls = sample.latencies.len();
    sample.latencies.get((calls * percent / 100).min(calls.saturating_sub(1))).copied().unwrap_or(0)
}
