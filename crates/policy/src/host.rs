//! The host of an http(s) URL, where every reader of the URL agrees on it.
//!
//! URL parsers differ in what they repair: missing slashes, backslashes, white space, numbers as addresses, percent signs
//! and non-ASCII letters in the host. A text with any of that is no URL here, which counts as a value of the wrong type.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::work;

/// A host, as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host<'a> {
    /// Labels of letters, digits, `-` and `_`. Compares without case.
    Name(&'a str),
    /// An address; IPv6 of an IPv4 address is that IPv4 address.
    Address(IpAddr),
}

/// The list of `url_host_in`, sorted: asking it costs no more for a long one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HostSet {
    /// Lower case.
    names: Vec<Box<str>>,
    addresses: Vec<IpAddr>,
    /// Lower case, without the `*.`: every host below is meant, but not the name itself.
    parents: Vec<Box<str>>,
}

impl HostSet {
    /// Adds `api.example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`; `None` for anything else.
    pub(crate) fn add(&mut self, element: &str) -> Option<()> {
        let lower = |name: &str| name.to_ascii_lowercase().into_boxed_str();
        match (element.strip_prefix("*."), host(element.strip_prefix("*.").unwrap_or(element))?) {
            (Some(_), Host::Name(parent)) => insert(&mut self.parents, lower(parent)),
            (Some(_), Host::Address(_)) => return None,
            (None, Host::Name(name)) => insert(&mut self.names, lower(name)),
            (None, Host::Address(address)) => insert(&mut self.addresses, address),
        }
        Some(())
    }

    /// Whether the host is an element, or below one.
    pub(crate) fn takes(&self, host: Host<'_>) -> bool {
        let among = |names: &[Box<str>], host: &str| {
            let found = names.binary_search_by(|name| {
                work::steps(host.len());
                name.bytes().cmp(host.bytes().map(|byte| byte.to_ascii_lowercase()))
            });
            found.is_ok()
        };
        match host {
            Host::Address(address) => self.addresses.binary_search(&address).is_ok(),
            Host::Name(host) => {
                let mut dots = host.match_indices('.');
                among(&self.names, host) || dots.any(|(dot, _)| among(&self.parents, &host[dot + 1..]))
            }
        }
    }

    /// As an author would write them.
    pub(crate) fn elements(&self) -> impl Iterator<Item = String> {
        let addresses = self.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        let parents = self.parents.iter().map(|parent| format!("*.{parent}"));
        self.names.iter().map(ToString::to_string).chain(parents).chain(addresses)
    }
}

fn insert<T: Ord>(sorted: &mut Vec<T>, new: T) {
    if let Err(place) = sorted.binary_search(&new) {
        sorted.insert(place, new);
    }
}

/// The host of an absolute http(s) URL without userinfo; `None` where readers of the URL could differ.
pub(crate) fn host_of_url(url: &str) -> Option<Host<'_>> {
    if url.chars().any(|c| c == '\\' || c.is_whitespace() || c.is_control()) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    // Userinfo has an `@`, which no host takes below.
    let address_end = authority.rfind(']').unwrap_or(0);
    let (host_text, port) = match authority[address_end..].find(':') {
        Some(colon) => authority.split_at(address_end + colon),
        None => (authority, ":0"),
    };
    let port = &port[1..];
    let port_fits = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if port_fits { host(host_text) } else { None }
}

/// A name or an address in its one usual spelling.
fn host(text: &str) -> Option<Host<'_>> {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().ok().map(|address| Host::Address(address.to_canonical()));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if text.len() > 253 || !text.split('.').all(label) {
        return None;
    }
    // The WHATWG reader takes any host whose last label is a number (also octal or hexadecimal) for an address.
    let last = text.rsplit('.').next().unwrap_or(text);
    let hexadecimal =
        last.len() > 1 && last.as_bytes()[0] == b'0' && last.as_bytes()[1].eq_ignore_ascii_case(&b'x');
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<Ipv4Addr>().ok().map(|address| Host::Address(IpAddr::V4(address)));
    }
    Some(Host::Name(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(elements: &[&str]) -> HostSet {
        let mut set = HostSet::default();
        for element in elements {
            set.add(element).expect("a host");
        }
        set
    }

    fn held(element: &str, url: &str) -> Option<bool> {
        // Others around it, so that the search has something to pass by.
        let set = set(&["zzz.test", element, "aaa.test", "*.mmm.test", "10.0.0.1", "[fe80::1]"]);
        host_of_url(url).map(|host| set.takes(host))
    }

    #[test]
    fn names_compare_without_case_and_port() {
        assert_eq!(held("API.example.com", "HTTPS://api.EXAMPLE.com:8443/x?y#z"), Some(true));
        assert_eq!(held("api.example.com", "http://api.example.com"), Some(true));
        assert_eq!(held("api.example.com", "http://api.example.com?@evil.test"), Some(true));
        assert_eq!(held("api.example.com", "https://api.example.com.evil.test/"), Some(false));
        assert_eq!(held("api.example.com", "https://xapi.example.com/"), Some(false));
        assert_eq!(held("my-api.example.com", "https://my-api.example.com/"), Some(true));
        assert_eq!(held("my_api.example.com", "https://my_api.example.com/"), Some(true));
    }

    #[test]
    fn a_star_is_every_host_below() {
        assert_eq!(held("*.example.com", "https://a.b.Example.com/"), Some(true));
        assert_eq!(held("*.example.com", "https://example.com/"), Some(false));
        assert_eq!(held("*.example.com", "https://notexample.com/"), Some(false));
        assert_eq!(held("*.example.com", "https://example.com.test/"), Some(false));
    }

    #[test]
    fn addresses_have_one_spelling() {
        assert_eq!(held("127.0.0.1", "http://127.0.0.1:80/"), Some(true));
        assert_eq!(held("127.0.0.1", "http://[::ffff:127.0.0.1]/"), Some(true));
        assert_eq!(held("[::1]", "http://[0:0::0:1]:80/"), Some(true));
        assert_eq!(held("[::1]", "http://[::2]/"), Some(false));
        assert_eq!(held("[2001:db8::]", "http://[2001:db8::]:80/"), Some(true));
        assert_eq!(held("a.x0", "http://a.x0/"), Some(true));
        assert_eq!(held("a.0a", "http://a.0a/"), Some(true));
        assert_eq!(held("a.1x", "http://a.1x/"), Some(true));
        for other in [
            "http://0x7f.0.0.1/",
            "http://2130706433/",
            "http://127.1/",
            "http://127.0.0.01/",
            "http://0x7f000001/",
            "http://1.2.3.4.5/",
            "http://a.0x1/",
            "http://a.0X1/",
            "http://0x/",
            "http://0/",
            "http://a.0/",
        ] {
            assert_eq!(held("127.0.0.1", other), None, "{other}");
        }
    }

    #[test]
    fn what_readers_repair_is_no_url() {
        for url in [
            "",
            "example.com",
            "//example.com",
            "https:example.com",
            "https:/example.com",
            "https:///example.com",
            "https://",
            "https:///",
            "ftp://example.com",
            "file://example.com/etc",
            "https://a@example.com",
            "https://@example.com",
            "https://a:b@example.com/",
            "https://ok.test\\@evil.test/",
            "https://ok.test\\.evil.test",
            " https://example.com",
            "https://example.com ",
            "https://exa mple.com",
            "https://example.com/a b",
            "https://example.com/\u{a0}",
            "https://example.com/\n",
            "https://example.com/\u{0}",
            "https://exam%70le.com/",
            "https://example。com/",
            "https://bücher.example/",
            "https://.example.com/",
            "https://example..com/",
            "https://example.com./",
            "https://example.com:/",
            "https://example.com:x/",
            "https://example.com:65536/",
            "https://example.com:+80/",
            "https://[::1",
            "https://[::1%25eth0]/",
            "https://::1/",
            "https://[::1]x/",
            "https://[::1]:80:80/",
            "https://a:80:80/",
            "javascript://example.com/",
            "https://exa*mple.com/",
        ] {
            assert_eq!(host_of_url(url), None, "{url:?}");
        }
    }

    #[test]
    fn names_have_the_length_that_dns_allows() {
        let label = "a".repeat(63);
        let longest = [label.as_str(), &label, &label, &"b".repeat(61)].join(".");
        assert_eq!(longest.len(), 253);
        for (name, is_host) in
            [(label.clone(), true), (label + "a", false), (longest.clone(), true), (longest + "b", false)]
        {
            assert_eq!(host(&name).is_some(), is_host, "{name}");
        }
    }

    #[test]
    fn elements_of_a_list() {
        for bad in [
            "",
            "*",
            "*.",
            "*.*.com",
            "a.*.com",
            "https://a.com",
            "a.com/",
            "a.com:80",
            "*.127.0.0.1",
            "*.[::1]",
            "a b",
            "bücher.example",
            "a..b",
            "::1",
        ] {
            assert_eq!(HostSet::default().add(bad), None, "{bad}");
        }
        let set =
            set(&["Api.Example.com", "*.A.b", "192.0.2.1", "[2001:DB8::1]", "localhost", "api.example.COM"]);
        let elements: Vec<String> = set.elements().collect();
        assert_eq!(elements, ["api.example.com", "localhost", "*.a.b", "192.0.2.1", "[2001:db8::1]"]);
    }

    proptest! {
        /// Whatever is a URL here is one to the WHATWG reader, with the same host.
        #[test]
        fn agrees_with_the_whatwg_reader(
            scheme in "(http|https|HTTP|ftp)", slashes in "(:|:/|://|:///|:\\\\)",
            authority in "[a-zA-Z0-9.@:\\[\\]_-]{0,20}|(\\[[0-9a-f:.]{2,12}\\])|([0-9x]{1,4}\\.){0,3}[0-9a-fx]{1,4}", tail in "[/?#a-z@:.]{0,6}",
        ) {
            let text = format!("{scheme}{slashes}{authority}{tail}");
            if let Some(host) = host_of_url(&text) {
                let parsed = url::Url::parse(&text);
                prop_assert!(parsed.is_ok(), "{text}");
                let same = match (host, parsed.ok().and_then(|url| url.host().map(|host| host.to_owned()))) {
                    (Host::Name(name), Some(url::Host::Domain(domain))) => domain == name.to_ascii_lowercase(),
                    (Host::Address(IpAddr::V4(ours)), Some(url::Host::Ipv4(theirs))) => ours == theirs,
                    (Host::Address(ours), Some(url::Host::Ipv6(theirs))) => ours == theirs.to_canonical(),
                    _ => false,
                };
                prop_assert!(same, "{text}");
            }
        }
    }
}
