//! Who a Redis says it is: enough to notice that it is not the one from before, or not one to be trusted.

/// What must not change while a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Another one after every restart.
    run_id: String,
    /// Another one after every change of role, so that none goes by unseen between two looks.
    replication: String,
    /// Whether it takes writes: it is nobody's replica.
    pub(crate) primary: bool,
    /// Whether it is a node of a cluster.
    pub(crate) cluster: bool,
    /// Whether keys may be thrown away for want of memory.
    evicts: bool,
}

impl Identity {
    /// Reads an answer to INFO. Refuses a Redis that can't be used, in words for the operator.
    pub(crate) fn read(info: &str) -> Result<Self, String> {
        let found = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim)
        };
        let field = |name: &str| found(name).ok_or_else(|| format!("its INFO has no {name}"));
        let version = field("redis_version")?;
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
        if major < 7 {
            return Err(format!("version {version} is too old, 7 is needed"));
        }
        if field("loading")? != "0" {
            return Err("it is still loading its data".to_owned());
        }
        Ok(Self {
            run_id: field("run_id")?.to_owned(),
            replication: found("master_replid").unwrap_or_default().to_owned(),
            primary: field("role")? == "master",
            cluster: found("cluster_enabled") == Some("1"),
            evicts: field("maxmemory")? != "0" && field("maxmemory_policy")? != "noeviction",
        })
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
                        loading:0\r\nrole:master\r\nmaster_replid:def\r\ncluster_enabled:0\r\n";

    #[test]
    fn a_primary_of_version_7_will_do() {
        let read = Identity::read(INFO).unwrap();
        assert!(read.primary && !read.cluster && !read.evicts);
    }

    #[test]
    fn refuses_what_can_not_be_used() {
        for (from, to, why) in [
            ("7.0.15", "6.2.1", "version 6.2.1 is too old, 7 is needed"),
            ("loading:0", "loading:1", "it is still loading its data"),
            ("run_id:abc\r\n", "", "its INFO has no run_id"),
        ] {
            assert_eq!(Identity::read(&INFO.replace(from, to)), Err(why.to_owned()));
        }
    }

    #[test]
    fn is_another_one_after_whatever_may_have_lost_a_write() {
        for (from, to) in
            [("abc", "abd"), ("master_replid:def", "master_replid:deg"), ("master\r", "slave\r")]
        {
            assert_ne!(Identity::read(&INFO.replace(from, to)), Identity::read(INFO), "{to}");
        }
    }

    #[test]
    fn notices_a_redis_that_evicts() {
        let evicting = INFO.replace("maxmemory:0", "maxmemory:1000").replace("noeviction", "allkeys-lru");
        assert!(Identity::read(&evicting).is_ok_and(|identity| identity.evicts));
    }
}
