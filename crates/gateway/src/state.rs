//! What every request needs, built once by the binary.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use domain::{ApprovalId, Clock};
use ledger::Ledger;
use oauth::Keeper;
use storage::Storage;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;
use vault::{Entropy, Keyring};

use crate::approval::waiting;
use crate::directory::Directory;
use crate::hold::Budget;
use crate::in_flight::InFlight;
use crate::listed::Listed;
use crate::metrics::Metrics;
use crate::noted::Noted;
use crate::origin::Origins;
use crate::tasks;
use crate::trace::Telemetry;
use crate::unknown::Forms;
use crate::watch::Watchers;

/// How the gateway is seen from outside, and how patient it is.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// The address that clients use, without a path.
    pub public_url: Url,
    /// Host names that clients may call besides that of `public_url`.
    pub hosts: Vec<String>,
    /// Origins besides that of `public_url` whose pages may call: `https://app.example.com`.
    pub origins: Vec<String>,
    /// Named in the protected resource metadata; none: `public_url`.
    pub authorization_servers: Vec<String>,
    /// How often the configuration behind open streams is looked at.
    pub recheck: Duration,
    /// How long a stream may be quiet before a comment is sent, so that nobody in between closes it.
    pub keep_alive: Duration,
    /// Bytes of answers and events that are held at once because they may have to be rewritten.
    pub held_memory: usize,
    /// How often a grant may ask about one task in any minute.
    pub task_polls: u32,
    /// How long a call that a person must approve is held before its client is told to call again.
    pub approval_hold: Duration,
}

impl GatewaySettings {
    /// The defaults: no further hosts or origins, a look after open streams twice a second, a comment after 15 s of
    /// silence, 256 MiB of answers held, 120 questions a minute about a task, 20 s for a person to approve a call.
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            hosts: Vec::new(),
            origins: Vec::new(),
            authorization_servers: Vec::new(),
            recheck: Duration::from_millis(500),
            keep_alive: Duration::from_secs(15),
            held_memory: 256 * 1024 * 1024,
            task_polls: 120,
            approval_hold: Duration::from_secs(20),
        }
    }
}

/// What the binary hands in.
#[derive(Clone)]
pub struct GatewayParts {
    /// Postgres.
    pub storage: Storage,
    /// Redis.
    pub ledger: Ledger,
    /// Opens upstream credentials and sessions.
    pub keyring: Keyring,
    /// Calls upstreams.
    pub egress: egress::Client,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// What is counted and timed.
    pub metrics: Metrics,
    /// Who is told of requests that are over.
    pub telemetry: Option<Telemetry>,
    /// How the gateway is seen from outside.
    pub settings: GatewaySettings,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct GatewayState(Arc<Gateway>);

/// What is behind a [`GatewayState`].
pub struct Gateway {
    pub(crate) parts: GatewayParts,
    pub(crate) directory: Directory,
    pub(crate) keeper: Keeper,
    pub(crate) origins: Origins,
    pub(crate) noted: Noted,
    pub(crate) watchers: Watchers,
    pub(crate) budget: Budget,
    pub(crate) in_flight: InFlight,
    pub(crate) listed: Listed,
    pub(crate) forms: Forms,
    pub(crate) task_polls: Arc<policy::Limit>,
    /// Calls that are held until a person has approved them.
    pub(crate) holds: Semaphore,
    pub(crate) metadata_base: String,
    pub(crate) background: TaskTracker,
    pub(crate) stopping: CancellationToken,
    pub(crate) ending: CancellationToken,
}

impl Deref for GatewayState {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.0
    }
}

impl Gateway {
    /// The page where a person can approve a call.
    pub(crate) fn approval_url(&self, approval: ApprovalId) -> String {
        format!("{}/approvals/{approval}", self.metadata_base)
    }
}

impl GatewayState {
    /// A gateway that has read nothing yet.
    pub fn new(parts: GatewayParts) -> Self {
        let background = TaskTracker::new();
        let keeper = Keeper {
            storage: parts.storage.clone(),
            keyring: parts.keyring.clone(),
            egress: parts.egress.clone(),
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
            tasks: background.clone(),
        };
        let directory = Directory::new(
            parts.storage.clone(),
            parts.keyring.clone(),
            keeper.clone(),
            parts.ledger.clone(),
        );
        let origins = Origins::new(&parts.settings);
        let task_polls = tasks::poll_limit(parts.settings.task_polls);
        let budget = Budget::new(parts.settings.held_memory);
        let metadata_base = parts.settings.public_url.as_str().trim_end_matches('/').to_owned();
        Self(Arc::new(Gateway {
            parts,
            directory,
            keeper,
            origins,
            noted: Noted::default(),
            watchers: Watchers::default(),
            budget,
            in_flight: InFlight::default(),
            listed: Listed::default(),
            forms: Forms::default(),
            task_polls,
            holds: Semaphore::new(waiting::HELD),
            metadata_base,
            background,
            stopping: CancellationToken::new(),
            ending: CancellationToken::new(),
        }))
    }

    /// Grants that are remembered.
    pub fn directory_size(&self) -> usize {
        self.directory.size()
    }

    /// Ends the streams that end by themselves never. To be called when the listener stops accepting, so that it can finish;
    /// those that answer a request go on.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Ends what still runs. To be called when it was given time enough, and before the listener cuts connections off.
    pub fn end(&self) {
        self.stopping.cancel();
        self.ending.cancel();
    }

    /// Waits until the end of every call is written down. To be called when the listener has finished.
    pub async fn stopped(&self) {
        self.background.close();
        self.background.wait().await;
    }
}
