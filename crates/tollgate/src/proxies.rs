//! Who sent a request, where proxies stand in front: what those that are trusted say of it, and nobody else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks whose word counts.
#[derive(Clone, Debug)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    /// Those in `networks`; none: nobody is believed.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// The client of a request that came from `peer`.
    ///
    /// Each proxy adds, at the right, whom it was called by. So the list is read from there, for as long as it was a trusted
    /// one that wrote: what stands further left anybody may have made up.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if self.0.is_empty() || !self.trusts(peer.ip().to_canonical()) {
            return peer;
        }
        let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
        let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut client = peer;
        for entry in entries {
            let Some(address) = std::str::from_utf8(entry).ok().and_then(address) else { break };
            client = SocketAddr::new(address, 0);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, with or without a port.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(peer: &str, lines: &[&'static str]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let values = lines.iter().map(|line| HeaderValue::from_static(line));
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, value);
        }
        Proxies::new(&networks).client(SocketAddr::new(peer.parse().unwrap(), 1), &headers).ip().to_string()
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        for (lines, client) in [
            (&["203.0.113.7"][..], "203.0.113.7"),
            (&["203.0.113.7:4711"], "203.0.113.7"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7, 10.0.0.9 ,10.0.0.8"], "203.0.113.7"),
            (&["203.0.113.7", "10.0.0.9, fd00::1"], "203.0.113.7"),
            // All of them are ours: a call from inside.
            (&["10.0.0.3, 10.0.0.9"], "10.0.0.3"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(of("10.0.0.1", lines), client, "{lines:?}");
        }
        assert_eq!(of("::ffff:10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
    }

    #[test]
    fn nobody_else_is() {
        assert_eq!(of("198.51.100.1", &["203.0.113.7"]), "198.51.100.1", "no proxy of ours");
        assert_eq!(of("10.0.0.1", &["127.0.0.1, 203.0.113.7"]), "203.0.113.7", "made up by the client");
        assert_eq!(of("10.0.0.1", &["127.0.0.1", "203.0.113.7, 10.0.0.9"]), "203.0.113.7", "the same");
        for nothing in ["", "unknown", "203.0.113.7, ", "203.0.113.7, _hidden", "203.0.113.7 10.0.0.1"] {
            assert_eq!(of("10.0.0.1", &[nothing]), "10.0.0.1", "{nothing}");
        }
        let peer = "10.0.0.1:1".parse().unwrap();
        let headers = HeaderMap::from_iter([(FORWARDED_FOR, HeaderValue::from_static("203.0.113.7"))]);
        assert_eq!(Proxies::new(&[]).client(peer, &headers), peer);
    }
}
