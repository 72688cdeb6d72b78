//! What is said of all backlinks of a selection at once: how they spread over ranks and addresses, and their
//! history.

use std::net::{IpAddr, Ipv4Addr};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::base::Base;
use super::column::Value;
use super::field::RANK;
use super::history::{DayChange, Past};
use super::{Deadline, QueryError};

/// Facts about all backlinks of a selection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Backlinks by the rank of their page, rounded up: `[n]` those of rank above `n - 1` up to `n`.
    pub by_rank: [u64; 11],
    pub addresses: Addresses,
    /// The days on which something changed, ascending.
    pub history: Vec<DayChange>,
}

/// Distinct addresses that backlinks come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    pub ipv4: u64,
    pub ipv6: u64,
    /// The IPv4 addresses by the classes A to E of RFC 791 and RFC 1112.
    pub classes: [u64; 5],
    /// Distinct IPv4 networks of 8, 16 and 24 bits.
    pub networks: [u64; 3],
}

impl Facts {
    /// # Errors
    /// What the deadline reports.
    pub fn of(base: &Base, past: &Past, deadline: &Deadline) -> Result<Self, QueryError> {
        Ok(Self {
            by_rank: by_rank(base, deadline)?,
            addresses: addresses(base, deadline)?,
            history: past.history(deadline)?,
        })
    }
}

fn by_rank(base: &Base, deadline: &Deadline) -> Result<[u64; 11], QueryError> {
    let mut bins = [0; 11];
    for (row, rank) in base.table.column(RANK)?.cells().iter().take(base.active).enumerate() {
        deadline.check_at(row)?;
        bins[rank.div_ceil(100).min(10) as usize] += 1;
    }
    Ok(bins)
}

fn addresses(base: &Base, deadline: &Deadline) -> Result<Addresses, QueryError> {
    let column = base.table.column("ip")?;
    let mut codes = FxHashSet::default();
    for (row, code) in column.cells().iter().take(base.active).enumerate() {
        deadline.check_at(row)?;
        codes.insert(code);
    }
    let mut addresses = Addresses::default();
    let mut networks: [FxHashSet<u32>; 3] = Default::default();
    for (at, code) in codes.into_iter().enumerate() {
        deadline.check_at(at)?;
        match column.meaning_of(code) {
            Value::Address(Some(IpAddr::V4(address))) => {
                addresses.ipv4 += 1;
                addresses.classes[class_of(address)] += 1;
                for (network, shift) in networks.iter_mut().zip([24, 16, 8]) {
                    network.insert(u32::from(address) >> shift);
                }
            }
            Value::Address(Some(IpAddr::V6(_))) => addresses.ipv6 += 1,
            _ => {}
        }
    }
    addresses.networks = networks.map(|network| network.len() as u64);
    Ok(addresses)
}

/// 0 for class A to 4 for class E.
fn class_of(address: Ipv4Addr) -> usize {
    match address.octets()[0] {
        0..=127 => 0,
        128..=191 => 1,
        192..=223 => 2,
        224..=239 => 3,
        240..=255 => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octet_decides_on_the_class() {
        for (octet, class) in
            [(0, 0), (127, 0), (128, 1), (191, 1), (192, 2), (223, 2), (224, 3), (239, 3), (240, 4), (255, 4)]
        {
            assert_eq!(class_of(Ipv4Addr::new(octet, 1, 2, 3)), class, "{octet}");
        }
    }
}
