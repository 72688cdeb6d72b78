//! Statistics of all backlinks of a selection: their distribution over ranks and addresses, and their history.

use std::net::{IpAddr, Ipv4Addr};

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::history::{DayChange, LinkHistory};
use crate::query::engine::column::Value;
use crate::query::engine::fields::RANK;
use crate::query::engine::row_set::RowSet;
use crate::query::{Deadline, QueryError};

/// Statistics of all backlinks of a selection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklinkStatistics {
    /// The number of backlinks by the rank of their page, rounded up: `[n]` counts ranks above `n - 1` up to
    /// `n`.
    pub by_rank: [u64; 11],
    pub addresses: Addresses,
    /// The number of distinct known countries of active backlinks.
    pub countries: u64,
    /// The number of lost backlinks that are not back.
    pub lost: u64,
    /// The last day on which an active backlink was seen, as `yyyyMMdd`; 0 without one.
    pub last_seen: u32,
    /// The days on which links changed, ascending.
    pub history: Vec<DayChange>,
}

/// The number of distinct IP addresses of backlinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    pub ipv4: u64,
    pub ipv6: u64,
    /// The IPv4 addresses by the classes A to E of RFC 791 and RFC 1112.
    pub classes: [u64; 5],
    /// The number of distinct IPv4 networks of 8, 16 and 24 bits.
    pub networks: [u64; 3],
}

impl BacklinkStatistics {
    /// Computes the statistics of a row set of backlinks.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn of(row_set: &RowSet, history: &LinkHistory, deadline: &Deadline) -> Result<Self, QueryError> {
        Ok(Self {
            by_rank: by_rank(row_set, deadline)?,
            addresses: addresses(row_set, deadline)?,
            countries: countries(row_set, deadline)?,
            lost: (row_set.rows() - row_set.active_rows) as u64,
            last_seen: last_seen(row_set, deadline)?,
            history: history.days(deadline)?,
        })
    }
}

fn by_rank(row_set: &RowSet, deadline: &Deadline) -> Result<[u64; 11], QueryError> {
    let mut bins = [0; 11];
    for (row, rank) in row_set.table.column(RANK)?.cells().iter().take(row_set.active_rows).enumerate() {
        deadline.check_at(row)?;
        bins[rank.div_ceil(100).min(10) as usize] += 1;
    }
    Ok(bins)
}

fn addresses(row_set: &RowSet, deadline: &Deadline) -> Result<Addresses, QueryError> {
    let column = row_set.table.column("ip")?;
    let mut codes = HashSet::new();
    for (row, code) in column.cells().iter().take(row_set.active_rows).enumerate() {
        deadline.check_at(row)?;
        codes.insert(code);
    }
    let mut addresses = Addresses::default();
    let mut networks: [HashSet<u32>; 3] = Default::default();
    for (at, code) in codes.into_iter().enumerate() {
        deadline.check_at(at)?;
        match column.decode(code) {
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

fn countries(row_set: &RowSet, deadline: &Deadline) -> Result<u64, QueryError> {
    let column = row_set.table.column("ccode")?;
    let mut codes = HashSet::new();
    for (row, code) in column.cells().iter().take(row_set.active_rows).enumerate() {
        deadline.check_at(row)?;
        codes.insert(code);
    }
    let is_known = |code: &u32| column.decode(*code) != Value::Text("");
    Ok(codes.iter().filter(|code| is_known(code)).count() as u64)
}

fn last_seen(row_set: &RowSet, deadline: &Deadline) -> Result<u32, QueryError> {
    let mut last = 0;
    for (row, date) in row_set.table.column("updDate")?.cells().iter().take(row_set.active_rows).enumerate() {
        deadline.check_at(row)?;
        last = last.max(date);
    }
    Ok(last)
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
    fn the_first_octet_decides_the_class() {
        for (octet, class) in
            [(0, 0), (127, 0), (128, 1), (191, 1), (192, 2), (223, 2), (224, 3), (239, 3), (240, 4), (255, 4)]
        {
            assert_eq!(class_of(Ipv4Addr::new(octet, 1, 2, 3)), class, "{octet}");
        }
    }
}
