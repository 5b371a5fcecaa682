//! A script with what it is given, written straight into the command that goes out: most calls are of a script, and one
//! that is charged names a dozen keys and numbers.

use std::fmt::{self, Display};

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisWrite, Script, ServerErrorKind, ToRedisArgs};

use crate::connection::Link;
use crate::operation::Operation;

/// Room for a charged call with its record, so that writing it down does not move it.
const ROOM: (usize, usize) = (32, 2048);

/// One call of a script.
pub(crate) struct Invocation {
    script: &'static Script,
    command: Cmd,
}

/// What is written as it is displayed.
pub(crate) struct Text<T>(pub(crate) T);

impl Invocation {
    /// To be given that many keys, and then the arguments.
    pub(crate) fn new(script: &'static Script, keys: usize) -> Self {
        let mut command = Cmd::with_capacity(ROOM.0, ROOM.1);
        command.arg("EVALSHA").arg(script.get_hash()).arg(keys);
        Self { script, command }
    }

    /// The next key or argument.
    pub(crate) fn arg(&mut self, next: impl ToRedisArgs) -> &mut Self {
        self.command.arg(next);
        self
    }
}

impl Operation for &Invocation {
    async fn run<T: FromRedisValue + Send>(&mut self, link: &mut Link) -> Result<T, RedisError> {
        match self.command.query_async(link).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.script.load_async(link).await?;
                self.command.query_async(link).await
            }
            done => done,
        }
    }
}

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Display> ToRedisArgs for Text<T> {
    fn write_redis_args<W: RedisWrite + ?Sized>(&self, out: &mut W) {
        out.write_arg_fmt(&self.0);
    }
}
