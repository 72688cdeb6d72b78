//! The query engine as the serving cases use it: everything that depends on how it is called stands here.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backlinkd::api::ENDPOINTS;
use backlinkd::config::{SearchConfig, StoreConfig};
use backlinkd::query::export::{BacklinkRow, ExportRow};
use backlinkd::query::{
    Activity, Base, Counts, Deadline, Facts, Internal, Known, Page, Patience, Question, Rows, Scan, Searches,
    Selection, View, Window,
};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes};

/// Rows of one piece of an export, as the API gives them by default at most.
const PIECE: usize = 10_000;

pub struct Engine {
    store: Arc<Store>,
    suffixes: Arc<Suffixes>,
    searches: Searches,
    deadline: Deadline,
}

impl Engine {
    /// Opens a data directory that is there.
    pub fn open(data: &Path) -> Self {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Store::open_existing(data, &StoreConfig::default(), Arc::clone(&suffixes)).unwrap();
        let store = Arc::new(store);
        let searches = Searches::open(Arc::clone(&store), SearchConfig::default()).unwrap();
        Self { store, suffixes, searches, deadline: Deadline::after(Duration::from_secs(3_600)) }
    }

    pub fn counts(&self, domain: &str) -> Counts {
        self.searches.counts(&selection(domain), &self.deadline).unwrap()
    }

    pub fn facts(&self, domain: &str) -> Arc<Facts> {
        self.searches.facts(&selection(domain), &self.deadline).unwrap().answer
    }

    /// The rows of a list endpoint.
    pub fn list(&self, domain: &str, endpoint: &str, filter: &str, order: &[&str], window: Window) -> Page {
        let endpoint = ENDPOINTS.iter().find(|known| known.name == endpoint).unwrap();
        let listing = endpoint.answer.listing().unwrap();
        let plan = listing.plan(Some(filter), order.iter().copied()).unwrap();
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
        let question =
            Question { listing, activity: Activity::Active, plan: &plan, patience: Patience::Full };
        self.searches.page(&selection(domain), &question, window, &self.deadline).unwrap().answer
    }

    /// All links, active and not, as JSON, in pieces as large as the API gives them; how many there are.
    pub fn export(&self, domain: &str) -> usize {
        let selection = selection(domain);
        self.facts(domain);
        let listing = BacklinkRow::INDEXED.unwrap();
        let names: Vec<&str> = listing.columns.iter().map(|column| column.name).collect();
        let (mut rows, mut next) = (0, None);
        loop {
            let window = (next.as_deref(), PIECE);
            let piece = self.searches.export(&selection, listing, &names, window, &self.deadline).unwrap();
            // An index that does not fit into memory is no case for this.
            let piece = piece.unwrap();
            black_box(piece.page.json_lines(b",").len());
            rows += piece.page.rows();
            next = piece.next;
            if next.is_none() {
                return rows;
            }
        }
    }

    /// Prepares a scope from nothing, as its first query does; the number of its links, lost ones included.
    pub fn build(&self, domain: &str) -> usize {
        let (snapshot, selection) = (self.store.snapshot(), selection(domain));
        let (suffixes, deadline) = (&*self.suffixes, &self.deadline);
        let scan = Scan { snapshot: &snapshot, selection: &selection, suffixes, deadline };
        let known = Known { snapshot: &snapshot, suffixes, deadline };
        let reading = Base::read(&scan, Rows::Backlinks, usize::MAX, &known).unwrap();
        Facts::of(&reading.base, &reading.past.unwrap(), deadline).unwrap();
        let listing =
            ENDPOINTS.iter().find(|known| known.name == "linktexts").unwrap().answer.listing().unwrap();
        View::of(listing, &reading.base, Activity::Active, &known, deadline).unwrap();
        reading.base.rows()
    }
}

fn selection(domain: &str) -> Arc<Selection> {
    let scope = Scope::Domain { domain: domain.to_owned() };
    Arc::new(Selection { scope, internal: Internal::Include })
}
