//! Which addresses lead to the public internet. The list is the IANA special-purpose registries (RFC 6890 and its
//! successors): an address is public only if none of their entries that aren't globally reachable holds it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

/// Not globally reachable, each as (network, prefix length).
const PRIVATE_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private use
    ([100, 64, 0, 0], 10),   // carrier-grade NAT
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, and the clouds' metadata services
    ([172, 16, 0, 0], 12),   // private use
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private use
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and broadcast
];

/// Parts of `2000::/3`, the one globally routed block, that are not globally reachable.
const PRIVATE_V6: [([u16; 2], u32); 4] = [
    ([0x2001, 0x0000], 23), // protocol assignments, Teredo, ORCHID
    ([0x2001, 0x0db8], 32), // documentation
    ([0x2002, 0x0000], 16), // 6to4: any IPv4 address in disguise
    ([0x3fff, 0x0000], 20), // documentation
];

/// Which addresses may be called.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    all: bool,
    networks: Arc<[IpNet]>,
}

impl Admission {
    pub(crate) fn new(all: bool, networks: Vec<IpNet>) -> Self {
        Self { all, networks: networks.into() }
    }

    /// Whether `address` is public, or in a network that the installation lists. An IPv4 address in disguise is looked
    /// at as what it is.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        let plain = match address {
            IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        self.all || is_public(plain) || self.networks.iter().any(|network| network.contains(&plain))
    }
}

/// Whether `address` is on the public internet, seen through IPv4-mapped and NAT64 forms.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4_is_public(v4),
        IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| v6_is_public(v6), v4_is_public),
    }
}

fn v4_is_public(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !PRIVATE_V4.iter().any(|&(network, length)| same_prefix(bits, u32::from_be_bytes(network), length))
}

fn v6_is_public(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let high = |first: u16, second: u16| u32::from(first) << 16 | u32::from(second);
    let bits = high(first, second);
    same_prefix(bits, high(0x2000, 0), 3)
        && !PRIVATE_V6.iter().any(|&([a, b], length)| same_prefix(bits, high(a, b), length))
}

/// The IPv4 address that a packet to this one ends at: `::ffff:a.b.c.d` (RFC 4291) or `64:ff9b::a.b.c.d` (RFC 6052).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

fn same_prefix(a: u32, b: u32, length: u32) -> bool {
    (a ^ b).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn addresses_inside_are_not() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn a_listed_network_is_called_and_no_other() {
        let networks = vec!["10.8.0.0/16".parse().unwrap(), "fd12:3456::/32".parse().unwrap()];
        let admission = Admission::new(false, networks);
        for address in ["10.8.0.1", "::ffff:10.8.3.4", "64:ff9b::10.8.0.1", "fd12:3456::1", "1.1.1.1"] {
            assert!(admission.admits(address.parse().unwrap()), "{address}");
        }
        for address in [
            "10.9.0.1",
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "fd12:3457::1",
            "::ffff:10.9.0.1",
            "100.64.0.1",
        ] {
            assert!(!admission.admits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn no_disguise_of_an_inner_address_is_public() {
        for address in [
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }
}
