//! The sites of the index in columns: the names of all, and a table of the registrable domains.

use super::names::{NameList, SiteName};
use crate::query::engine::column::{Column, Encoding};
use crate::query::engine::fields::RANK;
use crate::query::engine::fields::domains::{DOMAIN_FIELDS, DomainRow};
use crate::query::engine::table::TableBuilder;
use crate::query::{Deadline, IndexState, QueryError, Table};
use crate::store::{SiteFigures, SiteKind, SiteList};
use crate::urls::Suffixes;

/// All sites in one state of the index.
#[derive(Debug)]
pub struct SiteIndex {
    names: NameList,
    /// In the order of their names.
    domains: Table,
    state: SiteState,
}

/// The state of the index that sites were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteState {
    /// The number of the last commit before the state was read.
    pub change: u64,
    /// The Unix time at which the state was read.
    pub read_at: u64,
    /// Whether it is the state of the last ranking.
    pub ranked: bool,
    /// Whether all rows were read.
    pub is_complete: bool,
}

impl SiteState {
    pub fn state(self) -> IndexState {
        IndexState { change: self.change, read_at: self.read_at }
    }
}

impl SiteIndex {
    pub(super) fn of(
        list: SiteList,
        ranked: bool,
        suffixes: &Suffixes,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let SiteList { sites, change, read_at, complete } = list;
        let state = SiteState { change, read_at, ranked, is_complete: complete };
        let (mut rows, mut ranks) = (Vec::new(), Vec::new());
        for (at, site) in sites.iter().enumerate() {
            deadline.check_at(at)?;
            if site.kind == SiteKind::Domain {
                rows.push(DomainRow::try_from(site)?);
                ranks.push(u32::from(site.rank.0));
            }
        }
        let mut domains = TableBuilder::from_rows(DOMAIN_FIELDS, &rows, suffixes, deadline)?;
        domains.add(RANK, Column::new(ranks, Encoding::Hundredths));
        Ok(Self { names: NameList::of(sites, deadline)?, domains, state })
    }

    /// The state that the sites were read from.
    pub fn state(&self) -> SiteState {
        self.state
    }

    /// The registrable domains, in the order of their names.
    pub fn domains(&self) -> Table {
        self.domains.clone()
    }

    /// The registrable domains in random order. Equal seeds give equal orders.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn shuffled_domains(&self, seed: u64, deadline: &Deadline) -> Result<Table, QueryError> {
        let mut order: Vec<u32> = (0..self.domains.rows() as u32).collect();
        let mut state = seed;
        // Fisher and Yates: each order is equally likely.
        for last in (1..order.len()).rev() {
            deadline.check_at(last)?;
            order.swap(last, below(&mut state, last as u64 + 1) as usize);
        }
        self.domains.pick(&order, deadline)
    }

    /// The strongest sites whose name begins with a text, at most `limit`. A name matches with and without `www.`
    /// before it. Strength is rank, then referring domains.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn suggest(
        &self,
        beginning: &str,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Vec<SiteName<'_>>, QueryError> {
        self.names.strongest(beginning, limit, deadline)
    }
}

/// A random number below a bound (`splitmix64`). For bounds of 32 bits the bias is below one in a billion.
fn below(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % bound
}

impl TryFrom<&SiteFigures> for DomainRow {
    type Error = QueryError;

    fn try_from(site: &SiteFigures) -> Result<Self, QueryError> {
        let cell = |count: u64| u32::try_from(count).map_err(|_| QueryError::TooManyRows);
        Ok(Self {
            domain: site.name.as_str().into(),
            refdoms: cell(site.refdoms)?,
            backlinks: cell(site.backlinks)?,
            pages: cell(site.pages)?,
            hosts: cell(site.hosts)?,
        })
    }
}
