//! Clients: whom a limit applies to.

use std::net::IpAddr;

/// The unit of fairness: rates and permits are limited for each client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    User(Box<str>),
    Address(IpAddr),
    /// An unauthenticated client at an address that claims to be this user.
    Claimant(IpAddr, Box<str>),
}

impl Client {
    /// Returns the client at an address. All addresses of an IPv6 /64 network are one client, because a host usually
    /// controls all of them.
    pub fn at(address: IpAddr) -> Self {
        Self::Address(network(address))
    }

    /// As [`Self::at`], for a client that claims a user name.
    pub fn claiming(address: IpAddr, name: &str) -> Self {
        Self::Claimant(network(address), name.into())
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_addresses_is_one_client() {
        let at = |address: &str| Client::at(address.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
