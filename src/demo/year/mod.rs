//! A year of history for the demo's page: made-up sites, and what visits to them found on made-up days.
//!
//! ```text
//!  voices (words) ─► site (sites, pages, links, their days) ─► visits (page records) ─► store
//! ```
//!
//! One crawl shows one moment: its charts have one point. So the demo writes the records of earlier visits, as a crawl
//! of the last fourteen months would have written them. Links come, change and vanish on the way, for each reason that
//! the index knows. The same sites are made in each run; only their days follow the present day.
//!
//! No server is asked for these sites. Their addresses are reserved for benchmarks and documentation. Their names are
//! those of fictional towns under real public suffixes, so that the lists of suffixes have a shape too.

mod dice;
mod site;
mod visits;
mod voices;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Link, PageContent, Visit, VisitRecord};
use crate::store::{PageLinks, Store, StoreError};
use crate::urls::UrlRules;

use super::DemoError;
use dice::Dice;
use site::SiteMaker;

/// The present day, counted from the first one: fourteen months, so that the last year begins with a grown index.
const LAST_DAY: u32 = 425;
const SECONDS_A_DAY: u64 = 86_400;
/// Selects the sites. Others would do as well.
const SEED: u64 = 1836;

/// The size of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct YearSize {
    pub sites: usize,
    pub visits: usize,
}

/// The Unix times of the days.
struct Moments {
    now: u64,
}

impl Moments {
    fn at(&self, day: u32) -> u64 {
        self.now.saturating_sub(u64::from(LAST_DAY.saturating_sub(day)) * SECONDS_A_DAY)
    }
}

/// Adds the history to an index of the demo's web, until `now`. A set `stop` flag ends it early.
///
/// # Errors
/// [`DemoError::Store`] when the index cannot be written.
pub(super) fn write(
    store: &Store,
    rules: &UrlRules,
    now: u64,
    stop: &AtomicBool,
) -> Result<YearSize, DemoError> {
    let moments = Moments { now };
    let sites = SiteMaker { rules, dice: Dice::new(SEED) }.sites()?;
    let town = town(store)?;
    store.put(&at(&town, moments.at(0)))?;
    let mut visits = 0;
    for day in 0..=LAST_DAY {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let found: Vec<VisitRecord> =
            sites.iter().flat_map(|site| visits::records(site, day, &moments)).collect();
        visits += found.len();
        store.put(&found)?;
    }
    store.put(&visits::museum(rules, &moments)?)?;
    store.put(&at(&town, now))?;
    store.merge_discovered()?;
    Ok(YearSize { sites: sites.len(), visits })
}

/// The pages of the index, as the crawl found them.
fn town(store: &Store) -> Result<Vec<VisitRecord>, StoreError> {
    let record = |row: PageLinks| {
        let links = row.links.into_iter();
        let links =
            links.map(|link| Link { target: link.target, tag: link.tag, rel: link.rel, anchor: link.anchor });
        let content = PageContent { facts: row.page.facts, links: links.collect(), ..PageContent::default() };
        VisitRecord { url: row.url, visited: 0, visit: Visit::Responded(Box::new(content)) }
    };
    store.snapshot().graph().map(|row| row.map(record)).collect()
}

fn at(records: &[VisitRecord], visited: u64) -> Vec<VisitRecord> {
    records.iter().map(|record| VisitRecord { visited, ..record.clone() }).collect()
}
