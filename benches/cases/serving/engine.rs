//! The query engine as the serving cases use it: everything that depends on how it is called stands here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backlinkd::api::ENDPOINTS;
use backlinkd::config::{SearchConfig, StoreConfig};
use backlinkd::query::{
    Activity, Base, Counts, Deadline, Facts, Internal, Known, Page, Patience, Question, Rows, Scan, Searches,
    Selection, View, Window,
};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes};

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

    /// All active links, as JSON; how many there are.
    pub fn export(&self, domain: &str) -> usize {
        let page = self.list(domain, "backlinks", "", &[], Window { offset: 0, limit: usize::MAX });
        std::hint::black_box(page.json_lines(b"\n").len());
        page.count
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
