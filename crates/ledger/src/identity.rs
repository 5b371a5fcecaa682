//! Who a Redis says it is: enough to notice that it is not the one from before, or not one to be trusted.

use redis::aio::MultiplexedConnection;

/// What must not change while a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Another one after every restart.
    run_id: String,
    /// Whether keys may be thrown away for want of memory.
    evicts: bool,
}

impl Identity {
    /// Asks for it. Refuses a Redis that can't be used, in words for the operator.
    pub(crate) async fn ask(redis: &mut MultiplexedConnection) -> Result<Self, String> {
        let info: String = redis::cmd("INFO").query_async(redis).await.map_err(|error| error.to_string())?;
        Self::read(&info)
    }

    fn read(info: &str) -> Result<Self, String> {
        let field = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim).ok_or_else(|| format!("its INFO has no {name}"))
        };
        let version = field("redis_version")?;
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
        if major < 7 {
            return Err(format!("version {version} is too old, 7 is needed"));
        }
        if field("loading")? != "0" {
            return Err("it is still loading its data".to_owned());
        }
        if field("role")? != "master" {
            return Err("it is a replica".to_owned());
        }
        let evicts = field("maxmemory")? != "0" && field("maxmemory_policy")? != "noeviction";
        Ok(Self { run_id: field("run_id")?.to_owned(), evicts })
    }

    /// Says once a connection what the operator should know.
    pub(crate) fn warn_about_settings(&self) {
        if self.evicts {
            tracing::warn!(
                "redis throws keys away when its memory is full, and counts with them: set maxmemory-policy noeviction"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n\
                        loading:0\r\nrole:master\r\n";

    #[test]
    fn a_primary_of_version_7_will_do() {
        assert_eq!(Identity::read(INFO), Ok(Identity { run_id: "abc".to_owned(), evicts: false }));
    }

    #[test]
    fn refuses_what_can_not_be_written_to() {
        for (from, to, why) in [
            ("7.0.15", "6.2.1", "version 6.2.1 is too old, 7 is needed"),
            ("loading:0", "loading:1", "it is still loading its data"),
            ("role:master", "role:slave", "it is a replica"),
            ("run_id:abc\r\n", "", "its INFO has no run_id"),
        ] {
            assert_eq!(Identity::read(&INFO.replace(from, to)), Err(why.to_owned()));
        }
    }

    #[test]
    fn notices_a_redis_that_evicts() {
        let evicting = INFO.replace("maxmemory:0", "maxmemory:1000").replace("noeviction", "allkeys-lru");
        assert!(Identity::read(&evicting).is_ok_and(|identity| identity.evicts));
    }
}
