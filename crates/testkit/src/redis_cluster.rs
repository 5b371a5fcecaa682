//! A Redis Cluster of one test's own: three primaries, each with a replica if wanted; and sentinels around a primary.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;

use futures_util::future::join_all;

use crate::{Program, RedisServer, eventually};

/// How many slots there are.
const SLOTS: u16 = 16_384;
/// How many primaries.
const PRIMARIES: u16 = 3;

/// The nodes; the primaries come first, in the order of their slots.
#[derive(Debug)]
pub struct RedisCluster {
    /// The servers.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts three primaries that divide the slots, and as many replicas for each.
    pub async fn start(program: Program, folder: &Path, replicas: u16) -> Self {
        let settings = [
            "cluster-enabled yes",
            "cluster-node-timeout 2000",
            "cluster-replica-validity-factor 0",
            "appendonly yes",
            "appendfsync always",
            "repl-diskless-sync-delay 0",
        ];
        let all = PRIMARIES * (1 + replicas);
        let nodes = join_all((0..all).map(|_| RedisServer::start(program, folder, &settings))).await;
        let cluster = Self { nodes };
        for (at, node) in (0..PRIMARIES).zip(&cluster.nodes) {
            let (first, last) = (at * (SLOTS / PRIMARIES), (at + 1) * (SLOTS / PRIMARIES) - 1);
            let last = if at + 1 == PRIMARIES { SLOTS - 1 } else { last };
            node.tell(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]).await;
            node.tell(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]).await;
        }
        for node in &cluster.nodes[1..] {
            node.tell(&["CLUSTER", "MEET", "127.0.0.1", &cluster.nodes[0].port.to_string()]).await;
        }
        for (at, replica) in cluster.nodes.iter().enumerate().skip(PRIMARIES.into()) {
            let primary = cluster.nodes[at % usize::from(PRIMARIES)].ask(&["CLUSTER", "MYID"]).await;
            eventually("a replica that knows its primary", async || {
                (replica.ask(&["CLUSTER", "REPLICATE", &primary]).await == "OK").then_some(())
            })
            .await;
        }
        cluster.agrees().await;
        cluster
    }

    /// Waits until every node sees the whole cluster in order, and replicas have what their primaries have.
    pub async fn agrees(&self) {
        let (all, state) = (format!("cluster_known_nodes:{}", self.nodes.len()), "cluster_state:ok");
        for node in &self.nodes {
            eventually("a cluster that agrees", async || {
                let info = node.ask(&["CLUSTER", "INFO"]).await;
                let replication = node.ask(&["INFO", "replication"]).await;
                let behind = replication.contains("role:slave")
                    && !(replication.contains("master_link_status:up")
                        && replication.contains("master_sync_in_progress:0"));
                (info.contains(&all) && info.contains(state) && !behind).then_some(())
            })
            .await;
        }
    }

    /// Its address: that of all nodes.
    pub fn url(&self) -> String {
        let mut url = "redis+cluster://".to_owned();
        for (at, node) in self.nodes.iter().enumerate() {
            let _infallible = write!(url, "{}127.0.0.1:{}", if at == 0 { "" } else { "," }, node.port);
        }
        url
    }

    /// Which node has a slot now, by what the first node that has an opinion says of itself.
    pub async fn holder(&self, slot: u16) -> usize {
        eventually("a holder of the slot", async || {
            for (at, node) in self.nodes.iter().enumerate() {
                let nodes = node.ask(&["CLUSTER", "NODES"]).await;
                let Some(own) = nodes.lines().find(|line| line.contains("myself,master")) else { continue };
                let mut ranges = own.split(' ').skip(8).filter_map(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    Some(first.parse::<u16>().ok()?..=last.parse::<u16>().ok()?)
                });
                if ranges.any(|range| range.contains(&slot)) {
                    return Some(at);
                }
            }
            None
        })
        .await
    }

    /// Moves a slot to another primary, key by key, as an operator does; `half` runs when half of the keys have gone.
    pub async fn move_slot(&self, slot: u16, to: usize, half: impl AsyncFnOnce()) {
        let from = self.holder(slot).await;
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let (source_id, target_id) =
            (source.ask(&["CLUSTER", "MYID"]).await, target.ask(&["CLUSTER", "MYID"]).await);
        let slot = slot.to_string();
        target.tell(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id]).await;
        source.tell(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id]).await;
        let keys = async |count: usize| {
            let keys = source.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, &count.to_string()]).await;
            keys.lines().filter(|key| !key.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let port = target.port.to_string();
        let carry = async |count: usize| {
            for some in keys(count).await.chunks(100) {
                let mut command = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
                command.extend(some.iter().map(String::as_str));
                let moved = source.ask(&command).await;
                assert!(matches!(moved.as_str(), "OK" | "NOKEY"), "{moved}");
            }
        };
        carry(keys(usize::from(u16::MAX)).await.len() / 2).await;
        half().await;
        while !keys(1).await.is_empty() {
            carry(1000).await;
        }
        target.tell(&["CLUSTER", "SETSLOT", &slot, "NODE", &target_id]).await;
        source.tell(&["CLUSTER", "SETSLOT", &slot, "NODE", &target_id]).await;
    }
}

/// A primary with a replica, and three sentinels that watch over them.
#[derive(Debug)]
pub struct RedisSentinels {
    /// The primary at the start, and its replica.
    pub servers: Vec<RedisServer>,
    /// The sentinels.
    pub sentinels: Vec<RedisServer>,
}

impl RedisSentinels {
    /// What they call the primary.
    pub const PRIMARY: &str = "tollgate";

    /// Starts all five.
    pub async fn start(program: Program, folder: &Path) -> Self {
        let settings = ["appendonly yes", "appendfsync always", "repl-diskless-sync-delay 0"];
        let primary = RedisServer::start(program, folder, &settings).await;
        let replica = RedisServer::start(program, folder, &settings).await;
        replica.tell(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]).await;
        eventually("a replica in step", async || {
            replica.ask(&["INFO", "replication"]).await.contains("master_link_status:up").then_some(())
        })
        .await;
        let name = Self::PRIMARY;
        let lines = [
            format!("sentinel monitor {name} 127.0.0.1 {} 2", primary.port),
            format!("sentinel down-after-milliseconds {name} 1500"),
            format!("sentinel failover-timeout {name} 5000"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let sentinels = join_all((0..3).map(|_| RedisServer::start(program, folder, &lines))).await;
        for sentinel in &sentinels {
            eventually("a sentinel that knows the others and the replica", async || {
                let info = sentinel.ask(&["INFO", "sentinel"]).await;
                (info.contains("slaves=1,sentinels=3") && info.contains("status=ok")).then_some(())
            })
            .await;
        }
        Self { servers: vec![primary, replica], sentinels }
    }

    /// Its address: that of all sentinels.
    pub fn url(&self) -> String {
        let sentinels = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port));
        format!("redis+sentinel://{}/{}", sentinels.collect::<Vec<_>>().join(","), Self::PRIMARY)
    }
}
