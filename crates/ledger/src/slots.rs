//! Who has which slots of a cluster, as one of its nodes sees it.
//!
//! Nodes may differ for a while. As they do among themselves, the claim of the greatest config epoch is believed:
//! a node that takes over a slot, by failover or by migration, has a greater one than the node that had it.

use std::collections::HashMap;

use redis::{FromRedisValue as _, Value};

use crate::Shard;
use crate::address::Server;
use crate::shard::PerShard;

/// For each shard: who has its slot, and since which config epoch.
pub(crate) type Claims = PerShard<Option<Claim>>;

/// One node's hold on a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) epoch: u64,
    /// None in the host: the one that was asked.
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
}

impl Claim {
    /// Where it is, said by the node at `asked`.
    pub(crate) fn server(&self, asked: &Server) -> Server {
        Server { host: self.host.clone().unwrap_or_else(|| asked.host.clone()), port: self.port }
    }
}

/// Reads the answers to CLUSTER SLOTS (who has what, and where) and CLUSTER NODES (since when).
pub(crate) fn read(slots: &Value, nodes: &str) -> Result<Claims, String> {
    let epochs: HashMap<&str, u64> = nodes.lines().filter_map(epoch).collect();
    let shape = || "its answer to CLUSTER SLOTS can't be read".to_owned();
    let Value::Array(ranges) = slots else { return Err(shape()) };
    let mut claims = Claims::default();
    for range in ranges {
        let Value::Array(range) = range else { return Err(shape()) };
        let [first, last, Value::Array(primary), ..] = range.as_slice() else { return Err(shape()) };
        let [host, port, id, ..] = primary.as_slice() else { return Err(shape()) };
        let number = |value: &Value| u16::from_redis_value_ref(value).map_err(|_| shape());
        let text = |value: &Value| Option::<String>::from_redis_value_ref(value).map_err(|_| shape());
        let (first, last, port) = (number(first)?, number(last)?, number(port)?);
        let host = text(host)?.filter(|host| !matches!(host.as_str(), "" | "?"));
        let epoch = text(id)?.and_then(|id| epochs.get(id.as_str()).copied()).unwrap_or(0);
        for shard in Shard::all().filter(|shard| (first..=last).contains(&slot(*shard))) {
            claims[shard] = Some(Claim { epoch, host: host.clone(), port });
        }
    }
    Ok(claims)
}

/// `id address flags primary ping pong epoch link slots...`
fn epoch(line: &str) -> Option<(&str, u64)> {
    let mut fields = line.split(' ');
    let id = fields.next()?;
    Some((id, fields.nth(5)?.parse().ok()?))
}

/// The slot that all keys of a shard are in: that of its hash tag.
pub(crate) fn slot(shard: Shard) -> u16 {
    let tag = shard.to_string();
    let tag = tag.trim_start_matches('{').trim_end_matches('}');
    crc16::State::<crc16::XMODEM>::calculate(tag.as_bytes()) % 16_384
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn range(first: i64, last: i64, host: Value, id: &str) -> Value {
        let node = Value::Array(vec![host, Value::Int(7000), text(id), Value::Array(Vec::new())]);
        Value::Array(vec![Value::Int(first), Value::Int(last), node])
    }

    const NODES: &str = "aa 10.0.0.1:7000@17000 myself,master - 0 0 4 connected 0-8191\n\
                         bb 10.0.0.2:7000@17000 master - 0 1 7 connected 8192-16383\n";

    #[test]
    fn each_shard_is_claimed_by_whom_its_slot_belongs_to() {
        let slots =
            Value::Array(vec![range(0, 8191, text("10.0.0.1"), "aa"), range(8192, 16_383, Value::Nil, "bb")]);
        let claims = read(&slots, NODES).unwrap();
        for shard in Shard::all() {
            let low = slot(shard) < 8192;
            let host = low.then(|| "10.0.0.1".to_owned());
            let epoch = if low { 4 } else { 7 };
            assert_eq!(claims[shard], Some(Claim { epoch, host, port: 7000 }), "{shard}");
        }
        let asked = Server { host: "seed".to_owned(), port: 1 };
        let unknown = Claim { epoch: 7, host: None, port: 7000 };
        assert_eq!(unknown.server(&asked).to_string(), "seed:7000");
    }

    #[test]
    fn a_slot_that_nobody_has_is_claimed_by_nobody() {
        let claims = read(&Value::Array(Vec::new()), NODES).unwrap();
        assert!(Shard::all().all(|shard| claims[shard].is_none()));
        assert!(read(&Value::Nil, NODES).is_err());
    }

    #[test]
    fn slots_are_those_that_redis_computes() {
        // CLUSTER KEYSLOT tg:{t00}:decisions, and so on.
        let slots: Vec<u16> = [0, 9, 63].map(|at| slot(Shard::all().nth(at).unwrap())).to_vec();
        assert_eq!(slots, [14094, 9767, 11723]);
    }
}
