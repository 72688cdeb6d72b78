//! How the backlinks of a selection spread: over targets, over ranks, over addresses; and the links of its pages.

use std::net::{IpAddr, Ipv4Addr};

use rustc_hash::FxHashSet;

use super::column::Value;
use super::frame::{Compute, Frame};
use super::scan::Activity;
use super::{QueryError, Rows, Scan};
use crate::urls::{Scope, same_site};

/// Backlinks to the home page of the host or domain asked for, and all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub home: u64,
    pub deep: u64,
}

/// Distinct addresses that backlinks come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    pub ipv4: u64,
    pub ipv6: u64,
    /// The IPv4 addresses by the classes A to E of RFC 791 and RFC 1112.
    pub classes: [u64; 5],
    /// Distinct IPv4 networks of 8, 16 and 24 bits.
    pub networks: [u64; 3],
}

/// The active links on a scope's pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Pages that were read as HTML.
    pub pages: u64,
    pub external: u64,
    pub internal: u64,
}

impl Scan<'_> {
    /// # Errors
    /// What the store or the deadline reports.
    pub fn depth(&self) -> Result<Depth, QueryError> {
        let asked = match &self.selection.scope {
            Scope::Url { url, .. } => url.host(),
            Scope::Host { host, .. } => host,
            Scope::Domain { domain } => domain,
        };
        let mut depth = Depth::default();
        for link in self.backlinks(Activity::Active) {
            let target = link?.target;
            if target.path_and_query() == "/" && same_site(target.host(), asked) {
                depth.home += 1;
            } else {
                depth.deep += 1;
            }
        }
        Ok(depth)
    }

    /// Backlinks by the rank of their page, rounded up: `[n]` those of rank above `n - 1` up to `n`.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn by_rank(&self) -> Result<[u64; 11], QueryError> {
        let source = "backlinkpage";
        let table = self.table(Rows::Backlinks, Activity::Active, &[source])?.table;
        let frame = Frame::new(&table, &[source], self, self.deadline)?;
        let pages = frame.all();
        let ranks = frame.column(Compute::PageRank(source), &pages)?;
        let links = frame.column(Compute::Count, &pages)?;
        let mut bins = [0; 11];
        for (rank, links) in ranks.cells().iter().zip(links.cells()) {
            let bin = rank.div_ceil(100).min(10);
            bins[bin as usize] += u64::from(*links);
        }
        Ok(bins)
    }

    /// # Errors
    /// What the store or the deadline reports.
    pub fn addresses(&self) -> Result<Addresses, QueryError> {
        let table = self.table(Rows::Backlinks, Activity::Active, &["ip"])?.table;
        let frame = Frame::new(&table, &["ip"], self, self.deadline)?;
        let column = frame.column(Compute::Field("ip"), &frame.all())?;
        let mut addresses = Addresses::default();
        let mut networks: [FxHashSet<u32>; 3] = Default::default();
        for row in 0..column.cells().len() {
            match column.value(row) {
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

    /// # Errors
    /// What the store or the deadline reports.
    pub fn link_counts(&self) -> Result<LinkCounts, QueryError> {
        let mut counts = LinkCounts::default();
        for page in self.pages() {
            let page = page?.stored;
            counts.pages += u64::from(page.html);
            counts.external += u64::from(page.ext_links);
            counts.internal += u64::from(page.int_links);
        }
        Ok(counts)
    }
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
