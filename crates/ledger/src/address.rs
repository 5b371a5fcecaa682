//! The address of Redis, read: which servers to ask first, how to log in, and what they are to each other.

use std::fmt;

use domain::Secret;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo,
    TlsCertificates,
};

use crate::{LedgerConfig, LedgerError, LedgerTls};

/// One server, as it is connected to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What the servers of an address are to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// There is one.
    Alone,
    /// They are sentinels, who know where the primary of this name is.
    Sentinel(String),
    /// They are nodes of a cluster; each knows the others.
    Cluster,
}

/// What an address says.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) topology: Topology,
    pub(crate) servers: Vec<Server>,
    /// How to connect to a server that holds keys, but for where it is.
    login: ConnectionInfo,
    /// User and password of the sentinels.
    sentinels: Option<(Option<String>, Secret<String>)>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = !self.host.contains(':') || self.host.starts_with('/');
        if bare {
            write!(f, "{}:{}", self.host, self.port)
        } else {
            write!(f, "[{}]:{}", self.host, self.port)
        }
    }
}

impl Address {
    /// Reads it. An error never holds any of it: it may have a password.
    pub(crate) fn read(config: &LedgerConfig) -> Result<Self, LedgerError> {
        let wrong = |what: &str| LedgerError::Address(what.to_owned());
        let url = config.url.expose().as_str();
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        let (plain, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let many = matches!(kind, "sentinel" | "cluster") && matches!(plain, "redis" | "rediss");
        if !many {
            let login = with_certificates(read(url)?, &config.tls)?;
            let servers = vec![server_of(login.addr())];
            return Ok(Self { topology: Topology::Alone, servers, login, sentinels: None });
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (path, query) = path.split_once('?').map_or((path, ""), |(path, query)| (path, query));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (name, database) = path.split_once('/').unwrap_or((path, ""));
        let (topology, database) = match kind {
            "sentinel" if name.is_empty() => return Err(wrong("the name of the primary is missing")),
            "sentinel" => (Topology::Sentinel(name.to_owned()), database),
            _ if !matches!(path, "" | "0") => return Err(wrong("a cluster has no databases but 0")),
            _ => (Topology::Cluster, ""),
        };
        let port = if kind == "sentinel" { ":26379" } else { "" };
        let mut servers = Vec::new();
        let mut first = None;
        for host in hosts.split(',') {
            let port = if has_port(host) { "" } else { port };
            let one = format!("{plain}://{login}@{host}{port}/{database}?{query}");
            let info = read(&one)?;
            servers.push(server_of(info.addr()));
            first.get_or_insert(info);
        }
        let login = first.ok_or_else(|| wrong("it names no server"))?;
        let login = with_certificates(login, &config.tls)?;
        let sentinels = config.sentinel_password.clone().map(|word| (config.sentinel_user.clone(), word));
        Ok(Self { topology, servers, login, sentinels })
    }

    /// What connects to `server`, a sentinel: they have a log-in of their own, or none.
    pub(crate) fn sentinel(&self, server: &Server) -> Result<Client, String> {
        let mut login = RedisConnectionInfo::default();
        if let Some((user, password)) = &self.sentinels {
            login = login.set_password(password.expose());
            if let Some(user) = user {
                login = login.set_username(user);
            }
        }
        let place = placed(self.login.addr(), server);
        let login = self.login.clone().set_redis_settings(login).set_addr(place);
        Client::open(login).map_err(|error| error.category().to_owned())
    }

    /// What connects to `server`, one that holds keys.
    pub(crate) fn client(&self, server: &Server) -> Result<Client, String> {
        let login = self.login.clone().set_addr(placed(self.login.addr(), server));
        Client::open(login).map_err(|error| error.category().to_owned())
    }
}

fn read(url: &str) -> Result<ConnectionInfo, LedgerError> {
    url.into_connection_info().map_err(|error| LedgerError::Address(error.category().to_owned()))
}

/// The same, with whom to trust and what to show.
fn with_certificates(login: ConnectionInfo, tls: &LedgerTls) -> Result<ConnectionInfo, LedgerError> {
    if tls.is_default() {
        return Ok(login);
    }
    if !matches!(login.addr(), ConnectionAddr::TcpTls { .. }) {
        return Err(LedgerError::Address("certificates are set, but its scheme is not rediss".to_owned()));
    }
    let client = tls.client.as_ref();
    let certificates = TlsCertificates {
        client_tls: client.map(|(certificate, key)| ClientTlsConfig {
            client_cert: certificate.clone(),
            client_key: key.expose().clone(),
        }),
        root_cert: tls.ca.clone(),
    };
    let client = Client::build_with_tls(login, certificates);
    let client = client.map_err(|error| LedgerError::Certificates(error.to_string()))?;
    Ok(client.get_connection_info().clone())
}

/// Whether a port follows the host, which may be an IPv6 address in brackets.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'))
}

fn server_of(address: &ConnectionAddr) -> Server {
    match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Server { host: host.clone(), port: *port }
        }
        other => Server { host: other.to_string(), port: 0 },
    }
}

/// The same way of connecting, to another place. A socket of the file system has none but its own.
fn placed(way: &ConnectionAddr, server: &Server) -> ConnectionAddr {
    let (host, port) = (server.host.clone(), server.port);
    match way {
        ConnectionAddr::Tcp(..) => ConnectionAddr::Tcp(host, port),
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, LedgerError> {
        Address::read(&LedgerConfig::new(url))
    }

    fn servers(url: &str) -> Vec<String> {
        address(url).unwrap().servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_server_is_as_it_always_was() {
        let one = address("redis://user:word@example.com/3").unwrap();
        assert_eq!(one.topology, Topology::Alone);
        let client = one.client(&one.servers[0]).unwrap();
        assert_eq!(client.get_connection_info().addr().to_string(), "example.com:6379");
        assert_eq!(client.get_connection_info().redis_settings().db(), 3);
        assert_eq!(address("redis+unix:///run/redis.sock").unwrap().topology, Topology::Alone);
    }

    #[test]
    fn a_cluster_has_several() {
        let url = "rediss+cluster://user:w%40rd@one:7001,two,[::1]:7003";
        assert_eq!(address(url).unwrap().topology, Topology::Cluster);
        assert_eq!(servers(url), ["one:7001", "two:6379", "[::1]:7003"]);
        let other = Server { host: "three".to_owned(), port: 9 };
        let client = address(url).unwrap().client(&other).unwrap();
        let info = client.get_connection_info();
        assert!(matches!(info.addr(), ConnectionAddr::TcpTls { host, port: 9, .. } if host == "three"));
        assert_eq!(info.redis_settings().password(), Some("w@rd"));
    }

    #[test]
    fn sentinels_know_a_name() {
        let url = "redis+sentinel://:word@one,two:5000/mymaster/2";
        let read = address(url).unwrap();
        assert_eq!(read.topology, Topology::Sentinel("mymaster".to_owned()));
        assert_eq!(servers(url), ["one:26379", "two:5000"]);
        assert_eq!(read.client(&read.servers[0]).unwrap().get_connection_info().redis_settings().db(), 2);
    }

    #[test]
    fn what_can_not_be_used_is_refused_without_its_password() {
        for url in [
            "secret",
            "http://:secret@x",
            "redis+sentinel://:secret@one,two",
            "redis+cluster://:secret@one/1",
            "redis+cluster://:secret@",
            "redis+cluster://:secret@one,,two",
            "redis+other://:secret@one",
        ] {
            let error = address(url).unwrap_err();
            assert!(matches!(error, LedgerError::Address(_)), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
