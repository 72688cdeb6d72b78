//! The query engine as the serving cases use it: everything that depends on how it is called stands here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backlinkd::api::ENDPOINTS;
use backlinkd::config::StoreConfig;
use backlinkd::model::Day;
use backlinkd::query::{
    Activity, BACKLINK_FIELDS, Deadline, Internal, Page, QueryError, Rows, Scan, Selection, Window, export,
};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes};

/// Rows of one piece of an export, as the API gives them by default at most.
const PIECE: usize = 10_000;

pub struct Engine {
    store: Store,
    suffixes: Arc<Suffixes>,
}

impl Engine {
    /// Opens a data directory that is there.
    pub fn open(data: &Path) -> Self {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Store::open_existing(data, &StoreConfig::default(), Arc::clone(&suffixes)).unwrap();
        Self { store, suffixes }
    }

    /// Asks about the backlinks of a registrable domain.
    pub fn ask<T>(&self, domain: &str, query: impl FnOnce(&Scan<'_>) -> Result<T, QueryError>) -> T {
        let selection = selection(domain);
        let snapshot = self.store.snapshot();
        let deadline = Deadline::after(Duration::from_secs(600));
        let suffixes = &self.suffixes;
        query(&Scan { snapshot: &snapshot, selection: &selection, suffixes, deadline: &deadline }).unwrap()
    }

    /// The rows of a list endpoint.
    pub fn list(&self, domain: &str, endpoint: &str, filter: &str, order: &[&str], window: Window) -> Page {
        let endpoint = ENDPOINTS.iter().find(|known| known.name == endpoint).unwrap();
        let listing = endpoint.answer.listing().unwrap();
        let plan = listing.plan(Some(filter), order.iter().copied()).unwrap();
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
        let fields = listing.fields(&plan).unwrap();
        self.ask(domain, |scan| {
            let scanned = scan.table(listing.rows, Activity::Active, &fields)?;
            listing.answer(&plan, window, &scanned.table, scan, scan.deadline)
        })
    }

    /// The days on which backlinks came or went, of all time.
    pub fn history(&self, domain: &str) -> usize {
        self.ask(domain, |scan| scan.history(Day(0)..=Day(u32::MAX))).len()
    }

    /// All links, active and not, as JSON; how many there are.
    pub fn export(&self, domain: &str) -> usize {
        self.ask(domain, |scan| {
            let (mut rows, mut next, mut json) = (0, None, Vec::new());
            loop {
                let Scan { snapshot, selection, suffixes, deadline } = *scan;
                let after = next.as_deref();
                let piece = export::backlinks(snapshot, selection, after, PIECE, suffixes, deadline)?;
                json.clear();
                serde_json::to_writer(&mut json, &piece.rows).unwrap();
                rows += piece.rows.len();
                next = piece.next;
                if next.is_none() {
                    return Ok(rows);
                }
            }
        })
    }

    /// Prepares a scope from nothing, as its first query does; the number of its links, lost ones included.
    pub fn build(&self, domain: &str) -> usize {
        let fields: Vec<&'static str> = BACKLINK_FIELDS.iter().map(|field| field.name).collect();
        self.ask(domain, |scan| scan.table(Rows::Backlinks, Activity::Both, &fields)).table.rows()
    }
}

fn selection(domain: &str) -> Selection {
    Selection { scope: Scope::Domain { domain: domain.to_owned() }, internal: Internal::Include }
}
