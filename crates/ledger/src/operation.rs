//! What is sent over a connection: it can be sent again over another one, where the first did nothing with it.

use redis::{Cmd, FromRedisValue, Pipeline, RedisError};

use crate::connection::Link;
use crate::follow::not_here;

/// One operation, on the keys of one shard.
pub(crate) trait Operation {
    /// Sends it and waits for the answer.
    fn run<T: FromRedisValue + Send>(
        &mut self,
        link: &mut Link,
    ) -> impl Future<Output = Result<T, RedisError>> + Send;
}

/// An operation that needs all keys of its shard in one place, also those that it does not name: while a shard is
/// being moved it waits.
pub(crate) struct Whole<O>(pub(crate) O);

impl Operation for &Cmd {
    async fn run<T: FromRedisValue + Send>(&mut self, link: &mut Link) -> Result<T, RedisError> {
        self.query_async(link).await
    }
}

impl Operation for &Pipeline {
    async fn run<T: FromRedisValue + Send>(&mut self, link: &mut Link) -> Result<T, RedisError> {
        self.query_async(link).await
    }
}

impl<O: Operation + Send> Operation for &mut O {
    async fn run<T: FromRedisValue + Send>(&mut self, link: &mut Link) -> Result<T, RedisError> {
        (**self).run(link).await
    }
}

impl<O: Operation + Send> Operation for Whole<O> {
    async fn run<T: FromRedisValue + Send>(&mut self, link: &mut Link) -> Result<T, RedisError> {
        if link.asking { Err(not_here()) } else { self.0.run(link).await }
    }
}
