//! The settings of the two stores, Postgres and Redis: where they are, how they are trusted, and how long anything may take.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use domain::Secret;
use ledger::{LedgerConfig, LedgerTls};
use storage::StorageConfig;
use url::Url;

use crate::values::{millis, number};

/// What a libpq address may name as files.
const CERTIFICATE_FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

/// The database, as the application sees it.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_field_names, reason = "they are the names of flags")]
pub struct DatabaseConfig {
    /// Postgres, as a role that is neither superuser nor owner of the tables. Over TLS with
    /// `?sslmode=verify-full&sslrootcert=FILE`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// Connections to Postgres, at most
    #[arg(long, env = "TOLLGATE_DATABASE_CONNECTIONS", default_value = "20", value_name = "N",
        value_parser = number::<u32>("TOLLGATE_DATABASE_CONNECTIONS", 1..=1000))]
    pub database_connections: u32,
    /// Connections to Postgres that are kept when idle
    #[arg(long, env = "TOLLGATE_DATABASE_IDLE_CONNECTIONS", default_value = "0", value_name = "N",
        value_parser = number::<u32>("TOLLGATE_DATABASE_IDLE_CONNECTIONS", 0..=1000))]
    pub database_idle_connections: u32,
    /// Milliseconds that a request waits for a connection to Postgres, or for one to be made
    #[arg(long, env = "TOLLGATE_DATABASE_ACQUIRE_TIMEOUT", default_value = "3000", value_name = "MS",
        value_parser = millis("TOLLGATE_DATABASE_ACQUIRE_TIMEOUT", 100..=60_000))]
    pub database_acquire_timeout: Duration,
    /// Milliseconds that a statement may take; 0: any
    #[arg(long, env = "TOLLGATE_DATABASE_STATEMENT_TIMEOUT", default_value = "60000", value_name = "MS",
        value_parser = millis("TOLLGATE_DATABASE_STATEMENT_TIMEOUT", 0..=3_600_000))]
    pub database_statement_timeout: Duration,
    /// Milliseconds after which an idle connection to Postgres is closed
    #[arg(long, env = "TOLLGATE_DATABASE_IDLE_TIMEOUT", default_value = "600000", value_name = "MS",
        value_parser = millis("TOLLGATE_DATABASE_IDLE_TIMEOUT", 1000..=86_400_000))]
    pub database_idle_timeout: Duration,
    /// Milliseconds after which a connection to Postgres is replaced
    #[arg(long, env = "TOLLGATE_DATABASE_LIFETIME", default_value = "1800000", value_name = "MS",
        value_parser = millis("TOLLGATE_DATABASE_LIFETIME", 10_000..=86_400_000))]
    pub database_lifetime: Duration,
}

/// The shared counters and the decision stream.
#[derive(Clone, Debug, Args)]
pub struct RedisConfig {
    /// Redis or Valkey, 7 or newer, with `appendonly yes`: `redis://host`, `redis+sentinel://a,b,c/name`,
    /// `redis+cluster://a,b,c`; with TLS `rediss`
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: String,
    /// Put before every key, so that installations can share one Redis
    #[arg(long, env = "TOLLGATE_REDIS_NAMESPACE", default_value = "tg", value_name = "NAME")]
    pub redis_namespace: String,
    /// Decisions that may wait in one shard's stream before calls are refused
    #[arg(long, env = "TOLLGATE_STREAM_MAX", default_value = "100000", value_name = "N",
        value_parser = number::<u64>("TOLLGATE_STREAM_MAX", 1..=1_000_000_000))]
    pub stream_max: u64,
    /// Milliseconds that an operation of Redis may take
    #[arg(long, env = "TOLLGATE_REDIS_TIMEOUT", default_value = "1000", value_name = "MS",
        value_parser = millis("TOLLGATE_REDIS_TIMEOUT", 20..=60_000))]
    pub redis_timeout: Duration,
    /// Milliseconds that a connection to Redis may take to stand
    #[arg(long, env = "TOLLGATE_REDIS_CONNECT_TIMEOUT", default_value = "1000", value_name = "MS",
        value_parser = millis("TOLLGATE_REDIS_CONNECT_TIMEOUT", 20..=60_000))]
    pub redis_connect_timeout: Duration,
    /// The only authorities whose certificates are trusted of Redis and its sentinels, as a PEM file; public ones when left out
    #[arg(long, env = "TOLLGATE_REDIS_CA", value_name = "FILE")]
    pub redis_ca: Option<PathBuf>,
    /// The certificate to show to Redis, as a PEM file
    #[arg(long, env = "TOLLGATE_REDIS_CERT", value_name = "FILE")]
    pub redis_cert: Option<PathBuf>,
    /// The key of that certificate, as a PEM file
    #[arg(long, env = "TOLLGATE_REDIS_KEY", value_name = "FILE")]
    pub redis_key: Option<PathBuf>,
    /// The user of the sentinels, where it is not `default`
    #[arg(long, env = "TOLLGATE_REDIS_SENTINEL_USER", value_name = "NAME")]
    pub redis_sentinel_user: Option<String>,
    /// The password of the sentinels, where they want one
    #[arg(long, env = "TOLLGATE_REDIS_SENTINEL_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub redis_sentinel_password: Option<String>,
}

impl DatabaseConfig {
    /// What the pool is made of.
    ///
    /// # Errors
    /// A value can't be used; the message names its variable.
    pub fn storage(&self) -> anyhow::Result<StorageConfig> {
        ensure!(
            self.database_idle_connections <= self.database_connections,
            "TOLLGATE_DATABASE_IDLE_CONNECTIONS: {} are more than TOLLGATE_DATABASE_CONNECTIONS allows, which is {}",
            self.database_idle_connections,
            self.database_connections
        );
        let url = Url::parse(&self.database_url).ok();
        let named = url.iter().flat_map(Url::query_pairs);
        for (name, file) in named.filter(|(name, _)| CERTIFICATE_FILES.contains(&name.as_ref())) {
            pem(Path::new(file.as_ref()), &format!("DATABASE_URL, {name}"))?;
        }
        Ok(StorageConfig {
            max_connections: self.database_connections,
            min_connections: self.database_idle_connections,
            acquire_timeout: self.database_acquire_timeout,
            statement_timeout: self.database_statement_timeout,
            idle_timeout: self.database_idle_timeout,
            lifetime: self.database_lifetime,
            ..StorageConfig::new(self.database_url.clone())
        })
    }
}

impl RedisConfig {
    /// What the connections are made of.
    ///
    /// # Errors
    /// A value can't be used; the message names its variable.
    pub fn ledger(&self) -> anyhow::Result<LedgerConfig> {
        let file =
            |path: &Option<PathBuf>, variable| path.as_deref().map(|path| pem(path, variable)).transpose();
        let client = match (
            file(&self.redis_cert, "TOLLGATE_REDIS_CERT")?,
            file(&self.redis_key, "TOLLGATE_REDIS_KEY")?,
        ) {
            (Some(certificate), Some(key)) => Some((certificate, Secret::new(key))),
            (None, None) => None,
            (Some(_), None) => {
                anyhow::bail!("TOLLGATE_REDIS_KEY: the key of TOLLGATE_REDIS_CERT is missing: set both")
            }
            (None, Some(_)) => anyhow::bail!(
                "TOLLGATE_REDIS_CERT: the certificate of TOLLGATE_REDIS_KEY is missing: set both"
            ),
        };
        let sentinel_password = self.redis_sentinel_password.clone().map(Secret::new);
        ensure!(
            self.redis_sentinel_user.is_none() || sentinel_password.is_some(),
            "TOLLGATE_REDIS_SENTINEL_USER: a user without a password: set TOLLGATE_REDIS_SENTINEL_PASSWORD too"
        );
        Ok(LedgerConfig {
            namespace: self.redis_namespace.clone(),
            stream_max: self.stream_max,
            timeout: self.redis_timeout,
            connect_timeout: self.redis_connect_timeout,
            tls: LedgerTls { ca: file(&self.redis_ca, "TOLLGATE_REDIS_CA")?, client },
            sentinel_user: self.redis_sentinel_user.clone(),
            sentinel_password,
            ..LedgerConfig::new(self.redis_url.clone())
        })
    }
}

/// A file that holds something in PEM.
fn pem(path: &Path, variable: &str) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let text = std::fs::read(path).with_context(|| format!("{variable}: `{shown}` can't be read"))?;
    let begins = text.windows(11).any(|part| part == b"-----BEGIN ");
    ensure!(
        begins,
        "{variable}: `{shown}` holds no PEM: it must have a line like -----BEGIN CERTIFICATE-----"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Stores {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        redis: RedisConfig,
    }

    fn read(more: &[&str]) -> Result<Stores, String> {
        let needed = ["it", "--database-url", "postgres://db/tollgate", "--redis-url", "rediss://redis"];
        Stores::try_parse_from(needed.iter().chain(more)).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_that_do_not_fit_each_other_are_refused() {
        let stores = read(&["--database-connections", "2", "--database-idle-connections", "3"]).unwrap();
        let error = stores.database.storage().unwrap_err().to_string();
        assert!(error.starts_with("TOLLGATE_DATABASE_IDLE_CONNECTIONS: 3 are more"), "{error}");
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (given, told) in [
            (["--redis-ca", "/nowhere.pem"], "TOLLGATE_REDIS_CA: `/nowhere.pem` can't be read"),
            (["--redis-ca", here], "holds no PEM"),
            (["--redis-sentinel-user", "sentry"], "set TOLLGATE_REDIS_SENTINEL_PASSWORD too"),
        ] {
            let error = read(&given).unwrap().redis.ledger().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let pem = std::env::temp_dir().join("tollgate-store-config.pem");
        std::fs::write(&pem, "-----BEGIN CERTIFICATE-----\n").unwrap();
        let pem = pem.display().to_string();
        for (given, told) in
            [("--redis-cert", "TOLLGATE_REDIS_KEY: "), ("--redis-key", "TOLLGATE_REDIS_CERT: ")]
        {
            let error = read(&[given, &pem]).unwrap().redis.ledger().unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let url = "postgres://db/tollgate?sslmode=verify-full&sslrootcert=/nowhere.pem";
        let error =
            read(&[]).map(|stores| DatabaseConfig { database_url: url.to_owned(), ..stores.database });
        let error = error.unwrap().storage().unwrap_err().to_string();
        assert_eq!(error, "DATABASE_URL, sslrootcert: `/nowhere.pem` can't be read");
    }
}
