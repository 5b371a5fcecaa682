//! Where the primary is, by what most of the sentinels say.
//!
//! More than half of all that the address names must name the same server: a gateway that is cut off with an old
//! primary and a sentinel must not go on with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use tokio::time::{sleep, timeout};

use crate::address::Server;
use crate::connection::Connection;
use crate::node::{Access, CHECK_EVERY};

/// A sentinel, and the connection to it while one stands.
struct Sentinel {
    server: Server,
    redis: Option<MultiplexedConnection>,
}

/// Asks every second, until nobody holds the connections any more.
pub(crate) async fn follow(connection: Weak<Connection>, access: Arc<Access>, primary: String) {
    let servers = access.address.servers.iter().cloned();
    let mut sentinels: Vec<Sentinel> = servers.map(|server| Sentinel { server, redis: None }).collect();
    let mut before = None;
    let mut told = String::new();
    loop {
        let answers = join_all(sentinels.iter_mut().map(|sentinel| sentinel.ask(&access, &primary))).await;
        let Some(connection) = connection.upgrade() else { return };
        let agreed = agreed(&answers);
        if agreed != before {
            connection.place(agreed.as_ref());
            before.clone_from(&agreed);
        }
        let why = if agreed.is_none() { disagreement(&sentinels, &answers) } else { String::new() };
        if agreed.is_none() && told != why {
            connection.without_primary(&why);
        }
        told = why;
        drop(connection);
        sleep(CHECK_EVERY).await;
    }
}

impl Sentinel {
    /// Where it says that the primary is.
    async fn ask(&mut self, access: &Access, primary: &str) -> Result<Server, String> {
        let asked = timeout(access.connect_timeout + access.timeout, self.query(access, primary)).await;
        let answer = asked.unwrap_or_else(|_| Err("it does not answer".to_owned()));
        if answer.is_err() {
            self.redis = None;
        }
        answer
    }

    async fn query(&mut self, access: &Access, primary: &str) -> Result<Server, String> {
        let mut redis = match self.redis.take() {
            Some(redis) => redis,
            None => access.connect(&access.address.sentinel(&self.server)?).await?,
        };
        let mut command = redis::cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(primary);
        let named: Option<(String, u16)> =
            command.query_async(&mut redis).await.map_err(|error| error.to_string())?;
        self.redis = Some(redis);
        let (host, port) = named.ok_or_else(|| format!("it knows no primary called {primary}"))?;
        Ok(Server { host, port })
    }
}

/// The server that more than half of them name.
fn agreed(answers: &[Result<Server, String>]) -> Option<Server> {
    let mut votes = BTreeMap::new();
    for server in answers.iter().flatten() {
        *votes.entry(server).or_insert(0) += 1;
    }
    votes.into_iter().find(|(_, votes)| votes * 2 > answers.len()).map(|(server, _)| server.clone())
}

fn disagreement(sentinels: &[Sentinel], answers: &[Result<Server, String>]) -> String {
    let said = sentinels.iter().zip(answers).map(|(sentinel, answer)| match answer {
        Ok(server) => format!("{} names {server}", sentinel.server),
        Err(why) => format!("{}: {why}", sentinel.server),
    });
    format!("most sentinels must name the same primary: {}", said.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_of_all_must_agree() {
        let at = |port| Ok(Server { host: "x".to_owned(), port });
        let away = || Err("away".to_owned());
        let server = |port| Some(Server { host: "x".to_owned(), port });
        assert_eq!(agreed(&[at(1), at(1), at(2)]), server(1));
        assert_eq!(agreed(&[at(1), at(1), away()]), server(1));
        assert_eq!(agreed(&[at(1), at(2), away()]), None);
        assert_eq!(agreed(&[at(1), away(), away()]), None);
        assert_eq!(agreed(&[at(1), at(1), at(2), at(2)]), None);
        assert_eq!(agreed(&[at(1)]), server(1));
        assert_eq!(agreed(&[]), None);
    }
}
