//! Callers beside the drain: this program once more, so that what they take of the processor can be told from what the drain takes.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use domain::{Clock, TenantId};
use futures_util::StreamExt;
use testkit::TestRedis;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::calls::{AT_ONCE, Caller};

/// The word that asks for it.
const WORD: &str = "calls";

/// The process, and what it says.
pub struct Beside {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Beside {
    /// Calls of these organisations from now on, so many a second, or as many as go.
    pub async fn start(redis: &TestRedis, tenants: &[TenantId], rate: Option<usize>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([WORD, &redis.namespace, &rate.unwrap_or(0).to_string()]);
        command.args(tenants.iter().map(ToString::to_string));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        // Its first call was made.
        assert!(says.read_line(&mut String::new()).await.unwrap() > 0);
        Self { child, says }
    }

    pub fn process(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// How many calls a second it made.
    pub async fn stop(mut self) -> f64 {
        drop(self.child.stdin.take());
        let mut told = String::new();
        self.says.read_line(&mut told).await.unwrap();
        self.child.wait().await.unwrap();
        told.trim().parse().unwrap()
    }
}

/// Whether this process is to make calls.
pub fn is_asked_for() -> bool {
    std::env::args().nth(1).is_some_and(|word| word == WORD)
}

/// Makes calls until standard input ends, and says how many a second.
pub async fn run() {
    let mut words = std::env::args().skip(2);
    let namespace = words.next().unwrap();
    let rate: u32 = words.next().unwrap().parse().unwrap();
    let tenants: Vec<TenantId> = words.map(|id| id.parse::<Uuid>().unwrap().into()).collect();
    let redis = TestRedis { namespace, ..testkit::redis() };
    let ledger = redis.ledger(Clock::System).await;
    let caller = |number: usize| Caller::of(&ledger, tenants[number % tenants.len()]).call(number);
    caller(0).await;
    println!("ready");
    let stop = CancellationToken::new();
    let told = stop.clone();
    std::thread::spawn(move || {
        let _ended = std::io::stdin().read(&mut [0]);
        told.cancel();
    });
    let begun = Instant::now();
    let numbers = futures_util::stream::unfold(1_usize, |number| {
        let stop = &stop;
        async move {
            if rate > 0 {
                let due = begun + Duration::from_secs(number as u64) / rate;
                tokio::time::sleep_until(due.into()).await;
            }
            (!stop.is_cancelled()).then_some((number, number + 1))
        }
    });
    let made =
        numbers.map(caller).buffer_unordered(if rate > 0 { 4 * AT_ONCE } else { AT_ONCE }).count().await;
    println!("{}", crate::rate(made as u64, begun.elapsed()));
}
