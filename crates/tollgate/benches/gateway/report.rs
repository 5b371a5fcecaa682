//! What was measured, as a table for people and a file for comparing runs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use domain::Clock;
use serde_json::{Value, json};

use crate::load::Sample;
use crate::usage::Used;

/// Samples of all rounds, by concurrency and target.
pub struct Report {
    rounds: usize,
    measured: Duration,
    samples: BTreeMap<(usize, &'static str), Sample>,
    used: BTreeMap<(usize, &'static str), BTreeMap<&'static str, Used>>,
}

/// The numbers of one target at one concurrency.
struct Numbers {
    calls: usize,
    per_second: f64,
    p50: u32,
    p99: u32,
}

/// Tells how far the run is.
pub fn say(text: &str) {
    let told = writeln!(std::io::stderr(), "bench: {text}");
    told.unwrap();
}

impl Report {
    pub fn new(rounds: usize, measured: Duration) -> Self {
        Self { rounds, measured, samples: BTreeMap::new(), used: BTreeMap::new() }
    }

    /// Adds what one run measured, and what each program used meanwhile.
    pub fn add(
        &mut self,
        concurrency: usize,
        target: &'static str,
        sample: Sample,
        used: &BTreeMap<&'static str, Used>,
    ) {
        let sums = self.used.entry((concurrency, target)).or_default();
        for (program, used) in used {
            sums.entry(program).or_default().add(used);
        }
        let all = self.samples.entry((concurrency, target)).or_default();
        all.latencies.extend(sample.latencies);
        all.wrong += sample.wrong;
        all.made += sample.made;
        all.latencies.sort_unstable();
    }

    /// Whether every call of every run was answered with the tool's result.
    pub fn all_answered(&self) -> bool {
        self.samples.values().all(|sample| sample.wrong == 0 && !sample.latencies.is_empty())
    }

    fn numbers(&self, sample: &Sample) -> Numbers {
        let calls = sample.latencies.len();
        let at = |percent: usize| sample.latencies.get((calls * percent / 100).min(calls - 1)).copied();
        let seconds = self.measured.as_secs_f64() * f64::from(u32::try_from(self.rounds).unwrap());
        let per_second = f64::from(u32::try_from(calls).unwrap()) / seconds;
        Numbers { calls, per_second, p50: at(50).unwrap(), p99: at(99).unwrap() }
    }

    /// How fast `target` is to nginx at this concurrency: throughput by throughput. None if nginx was not called.
    fn ratio(&self, concurrency: usize, numbers: &Numbers) -> Option<f64> {
        let nginx = self.numbers(self.samples.get(&(concurrency, "nginx"))?);
        Some(numbers.per_second / nginx.per_second)
    }

    /// What `target` adds to the direct call at this concurrency, as multiples of what nginx adds: to the median, and to the
    /// 99th percentile. None if one of the two was not called.
    fn added(&self, concurrency: usize, numbers: &Numbers) -> Option<[f64; 2]> {
        let nginx = self.numbers(self.samples.get(&(concurrency, "nginx"))?);
        let direct = self.numbers(self.samples.get(&(concurrency, "upstream"))?);
        let times = |all: u32, nginx: u32, direct: u32| {
            (f64::from(all) - f64::from(direct)) / (f64::from(nginx) - f64::from(direct)).max(1.0)
        };
        Some([times(numbers.p50, nginx.p50, direct.p50), times(numbers.p99, nginx.p99, direct.p99)])
    }

    /// Writes the table to standard output.
    pub fn print(&self) {
        let mut out = std::io::stdout().lock();
        let mut line = |cells: [String; 8]| {
            let [concurrency, target, rest @ ..] = cells;
            let rest = rest.map(|cell| format!("{cell:>12}")).concat();
            writeln!(out, "{concurrency:>11}  {target:<9}{rest}").unwrap();
        };
        let multiple = |of: Option<f64>| of.map_or_else(|| "-".to_owned(), |of| format!("{of:.2}"));
        let title =
            ["concurrency", "target", "calls/s", "p50 µs", "p99 µs", "to nginx", "adds p50", "adds p99"];
        line(title.map(str::to_owned));
        for ((concurrency, target), sample) in &self.samples {
            let numbers = self.numbers(sample);
            let added = self.added(*concurrency, &numbers);
            line([
                concurrency.to_string(),
                (*target).to_owned(),
                format!("{:.0}", numbers.per_second),
                numbers.p50.to_string(),
                numbers.p99.to_string(),
                multiple(self.ratio(*concurrency, &numbers)),
                multiple(added.map(|added| added[0])),
                multiple(added.map(|added| added[1])),
            ]);
        }
        writeln!(
            out,
            "\nprocessor time of a call in each program, in µs, and the most memory it held, in MiB"
        )
        .unwrap();
        for ((concurrency, target), programs) in &self.used {
            let calls = self.samples[&(*concurrency, *target)].made;
            let used = programs.iter().filter(|(_, used)| used.cpu_micros > 0).map(|(program, used)| {
                format!("{program} {} ({} MiB)", used.cpu_micros / calls.max(1), used.peak_kib / 1024)
            });
            let used = used.collect::<Vec<_>>().join(", ");
            writeln!(out, "{concurrency:>11}  {target:<9}  {used}").unwrap();
        }
    }

    /// Writes the numbers and what they were measured on into a file of `folder`, named after the moment.
    pub fn save(&self, folder: &Path) {
        let results: Vec<Value> = self
            .samples
            .iter()
            .map(|((concurrency, target), sample)| {
                let numbers = self.numbers(sample);
                json!({
                    "concurrency": concurrency, "target": target, "calls": numbers.calls, "wrong": sample.wrong,
                    "calls_per_second": numbers.per_second, "p50_micros": numbers.p50,
                    "p99_micros": numbers.p99, "throughput_to_nginx": self.ratio(*concurrency, &numbers),
                    "adds_to_nginx": self.added(*concurrency, &numbers),
                    "used": self.used[&(*concurrency, *target)].iter().map(|(program, used)| (*program, json!({
                        "cpu_micros_a_call": used.cpu_micros / sample.made.max(1), "peak_kib": used.peak_kib,
                    }))).collect::<BTreeMap<_, _>>(),
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
        let file = folder.join(format!("gateway-{}.json", now.format("%Y%m%dT%H%M%SZ")));
        std::fs::write(&file, serde_json::to_vec_pretty(&report).unwrap()).unwrap();
        say(&format!("written to target/bench/{}", file.file_name().unwrap_or_default().display()));
    }
}
