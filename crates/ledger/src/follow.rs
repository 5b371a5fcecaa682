//! Following a shard that is moved within a cluster. An operation is sent again only after a node has said that it did
//! nothing; where an answer is missing, nobody knows, and nothing is sent again.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisFuture, ServerErrorKind, Value};
use tokio::time::{Instant, timeout_at};

use crate::address::Server;
use crate::connection::{Connection, Link, Route};
use crate::error::{Trouble, trouble};
use crate::node::Live;
use crate::operation::Operation;
use crate::{LedgerError, Shard};

/// How long to wait before a node is asked again.
const PAUSE: Duration = Duration::from_millis(20);

impl Connection {
    /// Runs an operation again that `refused` has sent elsewhere, until it is done or the time for one is over.
    pub(crate) async fn follow<T: FromRedisValue + Send>(
        &self,
        shard: Shard,
        mut route: Route,
        mut refused: RedisError,
        operation: &mut impl Operation,
    ) -> Result<T, LedgerError> {
        let deadline = Instant::now() + self.access.timeout;
        loop {
            let asked = self.asked(&refused);
            if asked.is_none() && !self.rerouted(shard, &route, &refused, deadline).await {
                return Err(LedgerError::Away(format!("a slot is being moved: {refused}")));
            }
            let (live, mut link) = if let Some(live) = asked {
                let link = Link { asking: true, ..Link::to(&live, route.generation) };
                (live, link)
            } else {
                route = self.route(shard).ok_or_else(|| self.away())?;
                (Arc::clone(&route.live), Link::to(&route.live, route.generation))
            };
            match timeout_at(deadline, operation.run(&mut link)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if matches!(trouble(&error), Trouble::Elsewhere) => {
                    if link.asking {
                        // It has not come there either.
                        tokio::time::sleep(PAUSE).await;
                    }
                    refused = error;
                }
                Ok(Err(error)) => return Err(self.failed(&live, &error)),
                Err(_elapsed) => return Err(live.timed_out()),
            }
        }
    }

    /// The server that is about to hold the shard, where the refusal names one that we are connected to.
    fn asked(&self, refused: &RedisError) -> Option<Arc<Live>> {
        if refused.kind() != ErrorKind::Server(ServerErrorKind::Ask) {
            return None;
        }
        let (host, port) = refused.redirect_node()?.0.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        self.standing(&Server { host, port: port.parse().ok()? })
    }

    /// Waits until the shard is somewhere else, or for a moment where it is only in motion. `false`: the time is over.
    async fn rerouted(&self, shard: Shard, tried: &Route, refused: &RedisError, deadline: Instant) -> bool {
        let mut generation = self.generation();
        let moved = refused.kind() == ErrorKind::Server(ServerErrorKind::Moved);
        while Instant::now() + PAUSE < deadline {
            if moved {
                self.look();
            }
            let _told = timeout_at(Instant::now() + PAUSE, generation.changed()).await;
            let elsewhere = self.route(shard).is_some_and(|route| route.generation != tried.generation);
            if elsewhere || !moved {
                return true;
            }
        }
        false
    }
}

/// What an operation that can't be run where it was asked to answers: it is to be sent again.
pub(crate) fn not_here() -> RedisError {
    (ErrorKind::Server(ServerErrorKind::TryAgain), "the slot is being moved").into()
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        if !self.asking {
            return self.redis.req_packed_command(command);
        }
        Box::pin(async move {
            let pipeline = asking(std::iter::once(command));
            let answers = self.redis.req_packed_commands(&pipeline, 0, 2).await?;
            answers.into_iter().nth(1).unwrap_or(Value::Nil).extract_error()
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        if !self.asking {
            return self.redis.req_packed_commands(pipeline, offset, count);
        }
        Box::pin(async move {
            let commands = asking(pipeline.cmd_iter());
            let answers = self.redis.req_packed_commands(&commands, 0, pipeline.len() * 2).await?;
            Ok(answers.into_iter().skip(1).step_by(2).collect())
        })
    }

    fn get_db(&self) -> i64 {
        self.redis.get_db()
    }
}

/// Each command after one that says that the sender knows what it does.
fn asking<'a>(commands: impl Iterator<Item = &'a Cmd>) -> Pipeline {
    let mut pipeline = redis::pipe();
    for command in commands {
        pipeline.cmd("ASKING").add_command(command.clone());
    }
    pipeline
}
