//! The address guard: allows the public internet, and the networks that the operator admits.
//!
//! A crawler connects wherever pages and name servers of strangers lead it. Without this check, a link to
//! `http://169.254.169.254/` could read the credentials of a cloud machine (server-side request forgery, CWE-918).
//! The guard refuses the networks that the IANA special-purpose registries (RFC 6890) do not list as global, and a
//! few more. The table is here because `is_global` of the standard library is unstable.
//!
//! An IPv6 address that embeds an IPv4 address is judged by that one: mapped (RFC 4291), NAT64 (RFC 6052), ISATAP
//! (RFC 5214). Forms that no public server uses today are refused: 6to4 (RFC 3056), Teredo (RFC 4380),
//! IPv4-compatible (RFC 4291) and IPv4-translated (RFC 2765).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), bits)
}

const REFUSED_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // a cloud's metadata service on a public address
    v4(169, 254, 0, 0, 16),   // link-local, other clouds' metadata services
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 31, 196, 0, 24),  // AS112
    v4(192, 52, 193, 0, 24),  // automatic multicast tunnelling
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 3),      // multicast and reserved
];

/// The only IPv6 block that is allocated for the public internet.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 0, 3);

const REFUSED_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 0, 0, 23),     // protocol assignments, Teredo among them
    v6(0x2001, 0xdb8, 0, 0, 32), // documentation
    v6(0x2002, 0, 0, 0, 16),     // 6to4
    v6(0x3fff, 0, 0, 0, 20),     // documentation
];

/// IPv6 addresses that a translator maps to the IPv4 address in their last four bytes (RFC 6052).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 0, 96);

/// The IPv4 address in an ISATAP address, for any network prefix (RFC 5214, 6.1).
fn isatap(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., fifth, sixth, _, _] = address.segments();
    let [.., a, b, c, d] = address.octets();
    (matches!(fifth, 0 | 0x200) && sixth == 0x5efe).then(|| Ipv4Addr::new(a, b, c, d))
}

/// The guard.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    let_through: Vec<IpNet>,
}

impl Guard {
    /// A guard that admits these networks in addition to the public internet.
    pub(super) fn new(let_through: &[IpNet]) -> Self {
        Self { let_through: let_through.to_vec() }
    }

    /// Whether connections to this address are allowed.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        self.let_through.iter().any(|net| net.contains(&address))
            || match address {
                IpAddr::V4(address) => !REFUSED_V4.iter().any(|net| net.contains(&address)),
                IpAddr::V6(address) => self.admits_v6(address),
            }
    }

    fn admits_v6(&self, address: Ipv6Addr) -> bool {
        if let Some(inner) = address.to_ipv4_mapped() {
            return self.admits(inner.into());
        }
        if NAT64.contains(&address) {
            let [.., a, b, c, d] = address.octets();
            return self.admits(Ipv4Addr::new(a, b, c, d).into());
        }
        if let Some(inner) = isatap(address)
            && !self.admits(inner.into())
        {
            return false;
        }
        GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::Guard;

    #[test]
    fn only_the_public_internet_is_admitted() {
        let guard = Guard::default();
        for address in [
            "1.1.1.1",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001:801::200e",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2a00:1450::5efe:1.1.1.1",
        ] {
            assert!(guard.admits(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
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
            "::",
            "::1",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:1.1.1.1",
            "2a00:1450::5efe:127.0.0.1",
            "2a00:1450::200:5efe:10.0.0.1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:101:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!guard.admits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn only_the_configured_networks_are_admitted_in_every_spelling() {
        let guard = Guard::new(&["127.5.0.0/16".parse().unwrap(), "fd00::/64".parse().unwrap()]);
        for (address, admitted) in [
            ("127.5.0.1", true),
            ("127.6.0.1", false),
            ("::ffff:127.5.0.1", true),
            ("::ffff:127.6.0.1", false),
            ("fd00::1", true),
            ("fd01::1", false),
        ] {
            assert_eq!(guard.admits(address.parse().unwrap()), admitted, "{address}");
        }
    }
}
