//! Expensive queries: none takes much longer than its deadline, or continues for a client that has disconnected.

use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use backlinkd::api::endpoints::backlinks;
use backlinkd::model::{BacklinkRecord, Day, LinkTag, PageOutcome, Place, Rel, SourcePage};
use backlinkd::query::{Deadline, LinkStates, NameLookup, Plan, QueryError, RowSet, View, Window};
use backlinkd::urls::Suffixes;

use crate::api::web::url;

const ROWS: usize = 40_000;

/// Bytes of a query: the limit of `api.max_query_bytes`.
const QUESTION: usize = 48 << 10;

const DEADLINE: Duration = Duration::from_millis(100);

/// Time that a query may take beyond its deadline: far more than the work between two checks on a slow machine, and far
/// less than any of these queries takes without checks.
const GRACE: Duration = Duration::from_secs(2);

/// Ranks that imply no order.
struct Ranks;

impl NameLookup for Ranks {
    fn page_ranks(&self, names: &[&str]) -> Result<Vec<u32>, QueryError> {
        Ok((0..names.len() as u32).map(|at| 1 + at % 7).collect())
    }

    fn domain_ranks(&self, names: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.page_ranks(names)
    }

    fn refdoms(&self, names: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.page_ranks(names)
    }

    fn foreign_refdoms(&self, names: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.page_ranks(names)
    }

    fn page_outcomes(&self, names: &[&str]) -> Result<Vec<PageOutcome>, QueryError> {
        Ok(vec![PageOutcome::default(); names.len()])
    }
}

/// Many backlinks, each from its own page and with its own text; the texts are long runs of one letter.
static VIEW: LazyLock<View> = LazyLock::new(|| {
    let record = |number: usize| BacklinkRecord {
        source: url(&format!("http://s{}.example.org/{number}", number % 97)),
        target: url("http://example.com/"),
        seq: 0,
        pos: 1,
        tag: LinkTag::A,
        rel: Rel::NONE,
        anchor: format!("{number} {}", "a".repeat(400)),
        first_day: Day(19_780),
        absences: Vec::new(),
        blpcount: 1,
        page: SourcePage {
            title: String::new(),
            ip: None,
            place: Place::default(),
            int_links: 0,
            ext_links: 1,
            fetched_day: Day(19_780),
        },
    };
    let records: Vec<BacklinkRecord> = (0..ROWS).map(record).collect();
    let (suffixes, endless) = (Suffixes::built_in().unwrap(), Deadline::after(Duration::MAX));
    let base = RowSet::of_backlinks(&records, &suffixes, &Ranks, &endless).unwrap();
    View::of(&backlinks::LISTING, &base, LinkStates::Active, &Ranks, &endless).unwrap()
});

fn plan(filter: &str, order: &[&str]) -> Plan {
    assert!(filter.len() <= QUESTION);
    backlinks::LISTING.plan(Some(filter), order.iter().copied()).unwrap()
}

/// A part of a filter, repeated as often as it fits.
fn full_of(before: &str, part: &str, between: &str, after: &str) -> String {
    let room = QUESTION - before.len() - after.len() - part.len();
    let parts = vec![part; 1 + room / (part.len() + between.len())];
    format!("{before}{}{after}", parts.join(between))
}

/// `in` with as many different values as fit.
fn list_of(field: &str, value: impl Fn(usize) -> String) -> String {
    let mut filter = format!("{field} in ({}", value(0));
    for number in 1.. {
        let value = value(number);
        if filter.len() + value.len() + 2 > QUESTION {
            break;
        }
        filter.push(',');
        filter += &value;
    }
    filter + ")"
}

/// Filters that would take seconds to minutes over all rows without a deadline.
fn costly() -> Vec<String> {
    let segment = format!("%{}_b%", "a".repeat(200));
    vec![
        format!("linktext like '{segment}'"),
        full_of("", "linktext like '%a_a%b'", " and ", ""),
        full_of("", "linktext like '%a_a%b'", " or ", ""),
        full_of("", &format!("backlinkpage like '{segment}' and linktext notlike '{segment}'"), " and ", ""),
    ]
}

/// The time until the query is answered or refused.
fn time(plan: &Plan, deadline: &Deadline) -> (Duration, Result<usize, QueryError>) {
    let start = Instant::now();
    let page = VIEW.page(plan, Window { offset: 0, limit: 100 }, deadline);
    (start.elapsed(), page.map(|page| page.count))
}

#[test]
fn a_list_of_thousands_of_values_costs_no_more_per_row_than_one() {
    LazyLock::force(&VIEW);
    for (filter, count) in [
        (full_of("backlinkpage in (", "''", ",", ")"), 0),
        (list_of("backlinkpage", |number| format!("'http://s1.example.org/{number}'")), 18),
        (list_of("linktext", |number| format!("'{number}'")), 0),
        (list_of("ip", |number| if number == 0 { "''".to_owned() } else { format!("'::{number:x}'") }), ROWS),
        (list_of("sr", |number| number.to_string()), 0),
        (list_of("blpcount", |number| number.to_string()), ROWS),
    ] {
        let (took, found) = time(&plan(&filter, &[]), &Deadline::after(GRACE));
        assert_eq!(found.unwrap(), count, "{} after {took:?}", &filter[..40]);
    }
}

#[test]
fn no_filter_runs_longer_than_its_deadline() {
    LazyLock::force(&VIEW);
    for filter in costly() {
        let (took, found) = time(&plan(&filter, &[]), &Deadline::after(DEADLINE));
        assert!(matches!(found, Err(QueryError::Deadline)), "{}: {found:?} in {took:?}", &filter[..40]);
        assert!(took < DEADLINE + GRACE, "{}: {took:?}", &filter[..40]);
    }
}

#[test]
fn a_filter_stops_when_its_client_disconnects() {
    LazyLock::force(&VIEW);
    for filter in costly() {
        let deadline = Deadline::after(Duration::MAX);
        let waiting = deadline.cancel_on_drop();
        let (plan, asked) = (plan(&filter, &[]), deadline.clone());
        let query = thread::spawn(move || time(&plan, &asked).1);
        thread::sleep(DEADLINE);
        drop(waiting);
        let gone = Instant::now();
        assert!(matches!(query.join().unwrap(), Err(QueryError::Deadline)), "{}", &filter[..40]);
        assert!(gone.elapsed() < GRACE, "{}: {:?}", &filter[..40], gone.elapsed());
    }
}

/// Backtracking would take longer than the age of the universe for one text.
#[test]
fn regular_expressions_take_linear_time() {
    LazyLock::force(&VIEW);
    for (expression, count) in
        [("^[0-9]+ (a*)*b$", 0), ("(a|aa|a?)+$", ROWS), ("(a|b|ab)*(a|aa)*c", 0), ("^7 ((a{2,9})+)+$", 1)]
    {
        let filter = format!("linktext matches '{expression}'");
        let (took, found) = time(&plan(&filter, &[]), &Deadline::after(4 * GRACE));
        assert_eq!(found.unwrap(), count, "{expression}: {took:?}");
    }
}

/// Every repeated field would be compared again, because all rows are equal in it.
#[test]
fn thousands_of_order_fields_cost_no_more_than_one() {
    LazyLock::force(&VIEW);
    let order = ["extL", "-intL"].repeat(QUESTION / 2 / "order[]=extL&".len());
    let plan = plan("", &order);
    assert_eq!(plan.warnings, [""; 0]);
    let (took, found) = time(&plan, &Deadline::after(GRACE));
    assert_eq!(found.unwrap(), ROWS, "{took:?}");
}
