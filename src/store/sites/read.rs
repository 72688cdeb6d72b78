//! Reads the list of sites from a snapshot.

use std::collections::BTreeMap;

use super::links::{LinkCounter, LinkTotals};
use super::{SiteFigures, SiteKind, SiteList};
use crate::clock::unix_now;
use crate::model::SearchRank;
use crate::store::codec::keys::split_pair_key;
use crate::store::codec::varint::Damage;
use crate::store::db::rows::ReadPattern;
use crate::store::db::schema::{PAGES, PAIRS};
use crate::store::read::host_pairs::decode_counts;
use crate::store::read::scan::{ScanRange, ScopeCursor};
use crate::store::{Snapshot, StoreError, codec};
use crate::urls::{Surt, host_prefix};

/// Rows read between two checks for an abort.
const ROWS_PER_CHECK: usize = 512;

/// The pages of hosts by their names, as in a SURT.
type HostPages = BTreeMap<Vec<u8>, u64>;

/// How many rows may be read.
struct RowBudget {
    read: usize,
    max: usize,
    /// Whether there were more rows than that.
    exceeded: bool,
}

impl RowBudget {
    /// Whether one more row may be read.
    fn take<E>(&mut self, proceed: &impl Fn() -> Result<(), E>) -> Result<bool, E> {
        if self.read.is_multiple_of(ROWS_PER_CHECK) {
            proceed()?;
        }
        self.exceeded = self.read == self.max;
        self.read += usize::from(!self.exceeded);
        Ok(!self.exceeded)
    }
}

impl Snapshot<'_> {
    /// All sites with their figures and current ranks, from at most `max_rows` pages and as many host pairs. Calls
    /// `proceed` every few hundred rows; its error ends the scan.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a row is damaged, and the error of `proceed`.
    pub fn sites<E: From<StoreError>>(
        &self,
        max_rows: usize,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<SiteList, E> {
        let (change, read_at) = (self.last_change()?, unix_now());
        let [mut for_pages, mut for_pairs] =
            [0, 0].map(|read| RowBudget { read, max: max_rows, exceeded: false });
        let pages = self.pages_by_host(&mut for_pages, proceed)?;
        let links = self.links_by_site(&mut for_pairs, proceed)?;
        let complete = !for_pages.exceeded && !for_pairs.exceeded;
        let sites = self.join(pages, links)?;
        let mut list = SiteList { sites, change, read_at, complete };
        list.fill_ranks(self, proceed)?;
        Ok(list)
    }

    fn pages_by_host<E: From<StoreError>>(
        &self,
        budget: &mut RowBudget,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<HostPages, E> {
        let mut hosts = HostPages::new();
        let (mut host, mut pages) = (Vec::new(), 0);
        let mut cursor = ScopeCursor::new(self, whole(PAGES));
        while cursor.advance()? {
            let Some((key, value)) = cursor.row() else { break };
            if !budget.take(proceed)? {
                break;
            }
            let part = Surt::host_part(key);
            if part != host {
                add_pages(&mut hosts, &host, pages);
                (host, pages) = (part.to_vec(), 0);
            }
            let outcome = codec::decode_page_outcome(value)
                .map_err(|damage| StoreError::damaged(PAGES, key, damage.0))?;
            pages += u64::from(outcome.status != 0);
        }
        add_pages(&mut hosts, &host, pages);
        Ok(hosts)
    }

    fn links_by_site<E: From<StoreError>>(
        &self,
        budget: &mut RowBudget,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<LinkCounter<'_>, E> {
        let mut links = LinkCounter::new(&self.store.suffixes);
        let mut cursor = ScopeCursor::new(self, whole(PAIRS));
        while cursor.advance()? {
            let Some((key, value)) = cursor.row() else { break };
            if !budget.take(proceed)? {
                break;
            }
            let damaged = |damage: Damage| StoreError::damaged(PAIRS, key, damage.0);
            let (target, source) = split_pair_key(key).map_err(damaged)?;
            let counts = decode_counts(value).map_err(damaged)?;
            if counts.links > 0 {
                links.add(target, source, counts.links).map_err(damaged)?;
            }
        }
        links.finish();
        Ok(links)
    }

    /// The sites of hosts and of their domains, without ranks.
    fn join(&self, pages: HostPages, links: LinkCounter<'_>) -> Result<Vec<SiteFigures>, StoreError> {
        let suffixes = &self.store.suffixes;
        let LinkCounter { host_totals, domain_totals, .. } = links;
        let mut hosts: BTreeMap<Vec<u8>, (u64, LinkTotals)> =
            host_totals.into_iter().map(|(host, totals)| (host, (0, totals))).collect();
        for (host, pages) in pages {
            hosts.entry(host).or_default().0 = pages;
        }
        let mut sites = Vec::new();
        let mut domains: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (host, (pages, totals)) in hosts {
            let name = host_name(&host)?;
            let domain = suffixes.domain_of(&name);
            match domains.get_mut(domain) {
                Some(sums) => *sums = (sums.0 + pages, sums.1 + 1),
                None => drop(domains.insert(domain.to_owned(), (pages, 1))),
            }
            if domain != name {
                sites.push(figures(name, SiteKind::Host, totals, (pages, 1)));
            }
        }
        for (domain, sums) in domains {
            let totals = domain_totals.get(&host_prefix(&domain)).copied().unwrap_or_default();
            sites.push(figures(domain, SiteKind::Domain, totals, sums));
        }
        sites.sort_unstable_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        Ok(sites)
    }
}

fn figures(name: String, kind: SiteKind, links: LinkTotals, (pages, hosts): (u64, u64)) -> SiteFigures {
    let LinkTotals { backlinks, refdoms } = links;
    SiteFigures { name, kind, rank: SearchRank::default(), backlinks, refdoms, pages, hosts }
}

fn host_name(part: &[u8]) -> Result<String, StoreError> {
    Surt::decode_host(part).map_err(|_| StoreError::damaged(PAGES, part, "the host"))
}

fn add_pages(hosts: &mut HostPages, host: &[u8], pages: u64) {
    // A host whose pages never answered has no row.
    if pages > 0 {
        *hosts.entry(host.to_vec()).or_default() += pages;
    }
}

fn whole(family: &'static str) -> ScanRange {
    let prefixes = vec![Vec::new()];
    ScanRange { family, prefixes, scope: None, after: None, pattern: ReadPattern::Sequential }
}
