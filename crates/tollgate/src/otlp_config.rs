//! What is sent to a collector of OpenTelemetry, and which part of it. `docs/observability.md` lists these.

use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use crate::values::{millis, number};

/// OpenTelemetry over OTLP, as protobuf over HTTP.
#[derive(Args)]
pub struct OtlpConfig {
    /// The collector to send traces and decisions to, such as `http://collector:4318`; none when left out
    #[arg(long = "otlp-endpoint", env = "TOLLGATE_OTLP_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,
    /// Headers for the collector: key=value,key=value, values percent-encoded
    #[arg(
        long = "otlp-headers",
        env = "TOLLGATE_OTLP_HEADERS",
        hide_env_values = true,
        value_name = "PAIRS"
    )]
    pub headers: Option<String>,
    /// What is sent
    #[arg(
        long = "otlp-signals",
        env = "TOLLGATE_OTLP_SIGNALS",
        value_enum,
        value_delimiter = ',',
        default_value = "traces,logs",
        value_name = "SIGNALS"
    )]
    pub signals: Vec<Signal>,
    /// Further attributes of all that is sent: key=value,key=value, values percent-encoded
    #[arg(long = "otlp-resource", env = "TOLLGATE_OTLP_RESOURCE", value_name = "PAIRS")]
    pub resource: Option<String>,
    /// The share of traces that is kept, from 0 to 1
    #[arg(long = "otlp-sample", env = "TOLLGATE_OTLP_SAMPLE", default_value = "1", value_parser = share, value_name = "SHARE")]
    pub sample: f64,
    /// Whether a client that names its trace says whether that is kept; false: the share alone does
    #[arg(
        long = "otlp-sample-by-parent",
        env = "TOLLGATE_OTLP_SAMPLE_BY_PARENT",
        default_value = "true",
        action = ArgAction::Set,
        value_name = "BOOL"
    )]
    pub sample_by_parent: bool,
    /// Requests that may wait to be sent, of each signal
    #[arg(long = "otlp-queue", env = "TOLLGATE_OTLP_QUEUE", default_value = "4096", value_parser = number::<usize>("TOLLGATE_OTLP_QUEUE", 1..=1_000_000), value_name = "N")]
    pub queue: usize,
    /// Milliseconds that the collector has to take a batch
    #[arg(
        long = "otlp-timeout",
        env = "TOLLGATE_OTLP_TIMEOUT",
        default_value = "10000",
        value_parser = millis("TOLLGATE_OTLP_TIMEOUT", 1..=600_000),
        value_name = "MILLISECONDS"
    )]
    pub timeout: Duration,
}

/// A kind of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Signal {
    /// Spans of requests
    Traces,
    /// A record of each decision
    Logs,
}

impl Signal {
    /// Its name in addresses and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }
}

impl std::fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The headers are secret.
        f.debug_struct("OtlpConfig").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("TOLLGATE_OTLP_SAMPLE: write a number from 0 to 1".to_owned()),
    }
}
