//! Every filter of the log, alone and two together, at any page, on a large log made by `scripts/generate-decisions.sql`.
//!
//! Warm: each search runs three times and the fastest counts, since whatever else the machine does can only slow one down; one that
//! took more than a page may is tried again some times. Prints the slowest of each kind, and fails when any took too long
//! each time.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to say")]
#![expect(clippy::disallowed_methods, reason = "what to search is in the environment, as for the tests")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod filters;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use audit::{Cursor, Filter};
use domain::TenantId;
use storage::{Storage, StorageConfig};

/// What a page of the log may take.
const MOST: Duration = Duration::from_millis(50);
/// How often a search is tried, and how often one that takes too long.
const TRIES: [usize; 2] = [3, 15];
/// Rows of a page.
const PAGE: u16 = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let storage = Storage::connect(&StorageConfig {
        max_connections: 2,
        acquire_timeout: Duration::from_secs(10),
        ..StorageConfig::new(std::env::var("TOLLGATE_BENCH_LOG").unwrap())
    })
    .unwrap();
    let world = filters::World::of(&storage).await;
    println!("{} rows, {} of the large tenant, {} of a small one", world.rows, world.large.1, world.small.1);
    let mut over = 0;
    for (name, tenant) in [("large", world.large.0), ("small", world.small.0)] {
        let mut found = Vec::new();
        for (label, filter) in world.filters(tenant) {
            for (page, after) in &world.pages {
                let (took, rows, next) = search(&storage, tenant, &filter, *after).await;
                found.push((
                    took,
                    format!("{label}, {page}: {rows} rows{}", if next { "" } else { ", the end" }),
                ));
            }
            let took = chart(&storage, tenant, &filter).await;
            found.push((took, format!("{label}, chart of 24 hours")));
        }
        found.push((overview(&storage, tenant).await, "rules and servers of 24 hours".to_owned()));
        over += report(name, found);
    }
    if over == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the fastest so far is fast enough, or was tried often enough.
fn enough(tries: usize, best: Duration) -> bool {
    tries >= TRIES[usize::from(best > MOST)]
}

/// The fastest of some tries, by the time it took.
async fn fastest<T: Ord>(mut once: impl AsyncFnMut() -> T) -> (Duration, T) {
    let mut best: Option<(Duration, T)> = None;
    for tries in 0.. {
        if best.as_ref().is_some_and(|best| enough(tries, best.0)) {
            break;
        }
        let begun = Instant::now();
        let found = once().await;
        let took = begun.elapsed();
        best = best.into_iter().chain([(took, found)]).min();
    }
    best.unwrap()
}

/// Its rows, and whether it goes on.
async fn search(
    storage: &Storage,
    tenant: TenantId,
    filter: &Filter,
    after: Option<Cursor>,
) -> (Duration, usize, bool) {
    let (took, (rows, next)) = fastest(async || {
        let mut tx = storage.tenant(tenant).await.unwrap();
        let page = audit::search(&mut tx, filter, after, PAGE).await.unwrap();
        tx.commit().await.unwrap();
        (page.rows.len(), page.next.is_some())
    })
    .await;
    (took, rows, next)
}

async fn chart(storage: &Storage, tenant: TenantId, filter: &Filter) -> Duration {
    let to = filter.to.unwrap_or_else(filters::newest);
    let filter = Filter { from: Some(to - Duration::from_hours(24)), to: Some(to), ..filter.clone() };
    let count = async || {
        let mut tx = storage.tenant(tenant).await.unwrap();
        audit::histogram(&mut tx, &filter).await.unwrap();
        tx.commit().await.unwrap();
    };
    fastest(count).await.0
}

/// What stands beside the chart on the pages that an organisation begins with.
async fn overview(storage: &Storage, tenant: TenantId) -> Duration {
    let since = filters::newest() - Duration::from_hours(24);
    let count = async || {
        let mut tx = storage.tenant(tenant).await.unwrap();
        audit::top_rules(&mut tx, since, 5).await.unwrap();
        audit::server_hours(&mut tx, since).await.unwrap();
        tx.commit().await.unwrap();
    };
    fastest(count).await.0
}

/// Prints what was found; answers how many took too long.
fn report(name: &str, mut found: Vec<(Duration, String)>) -> usize {
    found.sort();
    let millis = |took: Duration| took.as_secs_f64() * 1000.0;
    let at = |part: usize| millis(found[(found.len() - 1) * part / 100].0);
    let over = found.iter().filter(|(took, _)| *took > MOST).count();
    println!(
        "{name}: {} searches, median {:.1} ms, p99 {:.1} ms, slowest {:.1} ms, {over} over {} ms",
        found.len(),
        at(50),
        at(99),
        at(100),
        MOST.as_millis()
    );
    for (took, what) in found.iter().rev().take(12) {
        println!("  {:7.1} ms  {what}", millis(*took));
    }
    over
}
