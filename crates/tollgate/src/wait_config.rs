//! How long the process waits for its clients, for upstreams and for its own end, and how much it keeps open meanwhile.
//! `docs/operating.md` lists these, and what is fixed instead.

use std::time::Duration;

use clap::Args;
use egress::EgressConfig;

use crate::values::{millis, number, seconds};

/// Timeouts, and sizes of pools.
#[derive(Debug, Args)]
pub struct WaitConfig {
    /// Seconds between SIGTERM, when `/readyz` turns 503, and the end of accepting: time for balancers to go elsewhere
    #[arg(long, env = "TOLLGATE_NOTICE", default_value = "5", value_name = "SECONDS",
        value_parser = seconds("TOLLGATE_NOTICE", 0..=600))]
    pub notice: Duration,
    /// Seconds that running calls and streams are then given to end
    #[arg(long, env = "TOLLGATE_GRACE", default_value = "10", value_name = "SECONDS",
        value_parser = seconds("TOLLGATE_GRACE", 0..=600))]
    pub grace: Duration,
    /// Seconds that a client's connection may be idle, or take to send the head of a request
    #[arg(long, env = "TOLLGATE_IDLE", default_value = "75", value_name = "SECONDS",
        value_parser = seconds("TOLLGATE_IDLE", 1..=3600))]
    pub idle: Duration,
    /// Milliseconds that a request of the API or for a page may take until its answer begins
    #[arg(long, env = "TOLLGATE_REQUEST_TIMEOUT", default_value = "90000", value_name = "MS",
        value_parser = millis("TOLLGATE_REQUEST_TIMEOUT", 1000..=3_600_000))]
    pub request_timeout: Duration,
    /// Seconds of silence of a stream after which its client gets a comment, so that nobody in between closes it
    #[arg(long, env = "TOLLGATE_KEEP_ALIVE", default_value = "15", value_name = "SECONDS",
        value_parser = seconds("TOLLGATE_KEEP_ALIVE", 1..=3600))]
    pub keep_alive: Duration,
    /// Milliseconds between two looks at the configuration behind open streams
    #[arg(long, env = "TOLLGATE_RECHECK", default_value = "500", value_name = "MS",
        value_parser = millis("TOLLGATE_RECHECK", 50..=60_000))]
    pub recheck: Duration,
    /// Milliseconds to connect to an upstream: name, TCP and TLS
    #[arg(long, env = "TOLLGATE_UPSTREAM_CONNECT_TIMEOUT", default_value = "5000", value_name = "MS",
        value_parser = millis("TOLLGATE_UPSTREAM_CONNECT_TIMEOUT", 100..=60_000))]
    pub upstream_connect_timeout: Duration,
    /// Milliseconds until an upstream begins to answer, connecting included
    #[arg(long, env = "TOLLGATE_UPSTREAM_ANSWER_TIMEOUT", default_value = "120000", value_name = "MS",
        value_parser = millis("TOLLGATE_UPSTREAM_ANSWER_TIMEOUT", 1000..=3_600_000))]
    pub upstream_answer_timeout: Duration,
    /// Milliseconds that an upstream may be silent in the middle of an answer or a stream
    #[arg(long, env = "TOLLGATE_UPSTREAM_SILENCE_TIMEOUT", default_value = "300000", value_name = "MS",
        value_parser = millis("TOLLGATE_UPSTREAM_SILENCE_TIMEOUT", 1000..=86_400_000))]
    pub upstream_silence_timeout: Duration,
    /// Milliseconds that an authorization server has for one answer
    #[arg(long, env = "TOLLGATE_OAUTH_TIMEOUT", default_value = "10000", value_name = "MS",
        value_parser = millis("TOLLGATE_OAUTH_TIMEOUT", 1000..=20_000))]
    pub oauth_timeout: Duration,
    /// Milliseconds that an unused connection to an upstream is kept: less than the upstream keeps it
    #[arg(long, env = "TOLLGATE_UPSTREAM_IDLE_TIMEOUT", default_value = "4000", value_name = "MS",
        value_parser = millis("TOLLGATE_UPSTREAM_IDLE_TIMEOUT", 1..=3_600_000))]
    pub upstream_idle_timeout: Duration,
    /// Unused connections that are kept to each upstream
    #[arg(long, env = "TOLLGATE_UPSTREAM_IDLE_CONNECTIONS", default_value = "1024", value_name = "N",
        value_parser = number::<usize>("TOLLGATE_UPSTREAM_IDLE_CONNECTIONS", 0..=100_000))]
    pub upstream_idle_connections: usize,
    /// Seconds that a call which a person must approve is held before its client is told to call again; 0: not at all
    #[arg(long, env = "TOLLGATE_APPROVAL_HOLD", default_value = "20", value_name = "SECONDS",
        value_parser = seconds("TOLLGATE_APPROVAL_HOLD", 0..=600))]
    pub approval_hold: Duration,
    /// Seconds after which a call whose end nobody reported shows as unknown
    #[arg(long, env = "TOLLGATE_LOST_AFTER", default_value = "3600", value_name = "SECONDS",
        value_parser = seconds("TOLLGATE_LOST_AFTER", 60..=604_800))]
    pub lost_after: Duration,
}

impl WaitConfig {
    /// How upstreams are waited for; where they may be is for the caller to say.
    pub fn egress(&self) -> EgressConfig {
        EgressConfig {
            connect_timeout: self.upstream_connect_timeout,
            first_byte_timeout: self.upstream_answer_timeout,
            idle_timeout: self.upstream_silence_timeout,
            document_timeout: self.oauth_timeout,
            pool_idle: self.upstream_idle_timeout,
            pool_size: self.upstream_idle_connections,
            ..EgressConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Waits {
        #[command(flatten)]
        wait: WaitConfig,
    }

    /// All of them differ, so a value that goes to another's place shows.
    #[test]
    fn defaults_are_those_of_the_crates() {
        let wait = Waits::try_parse_from(["it"]).unwrap().wait;
        assert_eq!(format!("{:?}", wait.egress()), format!("{:?}", EgressConfig::default()));
        let gateway = gateway::GatewaySettings::new("http://localhost".parse().unwrap());
        assert_eq!((wait.recheck, wait.keep_alive), (gateway.recheck, gateway.keep_alive));
        assert_eq!(wait.lost_after, audit::DrainSettings::default().lost_after);
    }
}
