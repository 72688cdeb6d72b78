//! The query engine as the serving cases call it: all code that depends on its interface is here.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backlinkd::api::ENDPOINTS;
use backlinkd::config::{SearchConfig, StoreConfig};
use backlinkd::query::export::{BacklinkRow, ExportRow};
use backlinkd::query::{
    BacklinkStatistics, Counts, Deadline, LinkStates, ListQuery, RowKind, RowPage, RowSet, SameDomainLinks,
    Scan, SearchIndexes, Selection, SnapshotLookup, View, WaitPolicy, Window,
};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes};

/// Rows in one chunk of an export, the default maximum of the API.
const PIECE: usize = 10_000;

pub struct Engine {
    store: Arc<Store>,
    suffixes: Arc<Suffixes>,
    searches: SearchIndexes,
    deadline: Deadline,
}

impl Engine {
    /// Opens an existing data directory.
    pub fn open(data: &Path) -> Self {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Store::open_existing(data, &StoreConfig::default(), Arc::clone(&suffixes)).unwrap();
        let store = Arc::new(store);
        let searches = SearchIndexes::open(Arc::clone(&store), SearchConfig::default()).unwrap();
        Self { store, suffixes, searches, deadline: Deadline::after(Duration::from_secs(3_600)) }
    }

    pub fn counts(&self, domain: &str) -> Counts {
        self.searches.counts(&selection(domain), &self.deadline).unwrap().answer
    }

    pub fn statistics(&self, domain: &str) -> Arc<BacklinkStatistics> {
        self.searches.statistics(&selection(domain), &self.deadline).unwrap().answer
    }

    /// The rows of a list endpoint.
    pub fn list(
        &self,
        domain: &str,
        endpoint: &str,
        filter: &str,
        order: &[&str],
        window: Window,
    ) -> RowPage {
        let endpoint = ENDPOINTS.iter().find(|known| known.name == endpoint).unwrap();
        let listing = endpoint.handler.listing().unwrap();
        let plan = listing.plan(Some(filter), order.iter().copied()).unwrap();
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
        let question =
            ListQuery { listing, link_states: LinkStates::Active, plan: &plan, wait: WaitPolicy::Full };
        self.searches.page(&selection(domain), &question, window, &self.deadline).unwrap().answer
    }

    /// All links, active and lost, as JSON, in chunks as large as those of the API; returns their number.
    pub fn export(&self, domain: &str) -> usize {
        let selection = selection(domain);
        self.statistics(domain);
        let listing = BacklinkRow::INDEXED.unwrap();
        let names: Vec<&str> = listing.columns.iter().map(|column| column.name).collect();
        let (mut rows, mut next) = (0, None);
        loop {
            let window = (next.as_deref(), PIECE);
            let piece = self.searches.export(&selection, listing, &names, window, &self.deadline).unwrap();
            // This case expects an index that fits into memory.
            let piece = piece.unwrap();
            black_box(piece.page.json_lines(b",").len());
            rows += piece.page.rows();
            next = piece.next;
            if next.is_none() {
                return rows;
            }
        }
    }

    /// Builds the index of a scope, as its first query does; returns the number of its links, lost ones included.
    pub fn build(&self, domain: &str) -> usize {
        let (snapshot, selection) = (self.store.snapshot(), selection(domain));
        let (suffixes, deadline) = (&*self.suffixes, &self.deadline);
        let scan = Scan { snapshot: &snapshot, selection: &selection, suffixes, deadline };
        let known = SnapshotLookup { snapshot: &snapshot, suffixes, deadline };
        let reading = RowSet::read(&scan, RowKind::Backlinks, usize::MAX, &known).unwrap();
        BacklinkStatistics::of(&reading.row_set, &reading.history.unwrap(), deadline).unwrap();
        let listing =
            ENDPOINTS.iter().find(|known| known.name == "linktexts").unwrap().handler.listing().unwrap();
        View::of(listing, &reading.row_set, LinkStates::Active, &known, deadline).unwrap();
        reading.row_set.rows()
    }
}

fn selection(domain: &str) -> Arc<Selection> {
    let scope = Scope::Domain { domain: domain.to_owned() };
    Arc::new(Selection { scope, internal: SameDomainLinks::Include })
}
