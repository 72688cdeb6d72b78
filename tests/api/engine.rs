//! Lists over random rows, against the slow way of working them out.

use std::sync::LazyLock;
use std::time::Duration;

use backlinkd::api::endpoints::{backlinks, linktexts, referringdomains};
use backlinkd::model::{BacklinkRecord, Day, LinkTag, Place, Rel, SearchRank, SourcePage, Toggle};
use backlinkd::query::scan::backlink_table;
use backlinkd::query::{Deadline, Internal, Listing, QueryError, RankSource, Selection, Window};
use backlinkd::urls::{CanonicalUrl, Scope, Suffixes};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::oracle;
use super::web::url;

static SUFFIXES: LazyLock<Suffixes> = LazyLock::new(|| Suffixes::built_in().unwrap());

/// Ranks made out of names.
struct MadeUp;

fn made_up(name: &str) -> u16 {
    name.bytes().fold(7_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte))) % 5 * 243
}

impl RankSource for MadeUp {
    fn page(&self, url: &CanonicalUrl) -> Result<SearchRank, QueryError> {
        Ok(SearchRank(made_up(url.as_str())))
    }

    fn domain(&self, domain: &str) -> Result<SearchRank, QueryError> {
        Ok(SearchRank(made_up(domain)))
    }
}

const SOURCES: &[&str] = &[
    "http://a.example.org/1",
    "http://b.example.org/",
    "https://x.co.uk/",
    "https://y.x.co.uk/p?q=ä",
    "http://192.0.2.7/",
    "http://one.github.io/",
    "http://two.github.io/",
    "http://own.example.com/",
];
const TARGETS: &[&str] = &["http://example.com/", "https://www.example.com/a", "http://example.com/b"];
const ANCHORS: &[&str] = &["", "Home", "home", "it's", "ä", "100%_x", "日本"];
const IPS: &[&str] = &["192.0.2.9", "192.0.2.10", "10.0.0.1", "2001:db8::1", "none"];

prop_compose! {
    fn record()(
        (source, target, anchor, ip) in (select(SOURCES), select(TARGETS), select(ANCHORS), select(IPS)),
        (tag, rel, ccode) in (0u8..13, 0u8..16, select(&["SE", "DE", ""][..])),
        (pos, int_links, ext_links, blpcount) in (1u32..4, 0u32..3, 0u32..12, 1u32..3),
        (ins, upd, lost, title) in (19_780u32..19_785, 19_780u32..19_785, 0u8..4, select(&["T", "t%", ""][..])),
    ) -> BacklinkRecord {
        let toggle = |back| vec![Toggle { lost: Day(ins + 1), back }];
        BacklinkRecord {
            source: url(source),
            target: url(target),
            seq: 0,
            pos,
            tag: LinkTag::try_from(tag).unwrap(),
            rel: Rel::from_bits(rel),
            anchor: anchor.to_owned(),
            ins_day: Day(ins),
            toggles: match lost {
                0 => toggle(None),
                1 => toggle(Some(Day(ins + 2))),
                _ => Vec::new(),
            },
            blpcount,
            page: SourcePage {
                title: title.to_owned(),
                ip: ip.parse().ok(),
                place: Place { ccode: ccode.to_owned(), country: String::new(), city: "Å".to_owned() },
                int_links,
                ext_links,
                upd_day: Day(upd),
            },
        }
    }
}

/// A record as `exportbacklinks` shows it, with the flags that only `backlinks` has.
fn exported(record: &BacklinkRecord) -> Value {
    let page = &record.page;
    let lost = record.toggles.iter().any(|toggle| toggle.back.is_none());
    json!({
        "nofollow": record.rel.bits() != 0,
        "ugc": record.rel.bits() & 2 != 0,
        "sponsored": record.rel.bits() & 4 != 0,
        "active": !lost,
        "country": page.place.country, "ccode": page.place.ccode, "city": page.place.city,
        "extL": page.ext_links, "intL": page.int_links, "sumL": page.ext_links + page.int_links,
        "insDate": record.ins_day.to_string(), "updDate": page.upd_day.to_string(),
        "ip": page.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        "title": page.title, "linktarget": record.target.as_str(), "backlinkpage": record.source.as_str(),
        "blpcount": record.blpcount, "pos": record.pos, "linktext": record.anchor, "tag": record.tag.as_str(),
        "sr": oracle::number(f64::from(made_up(record.source.as_str()))),
    })
}

/// A condition in writing and, apart from it, as a judgement of a row.
#[derive(Clone, Debug)]
struct Condition {
    field: &'static str,
    operator: &'static str,
    values: Vec<String>,
}

const OPERATORS: &[&str] = &["lt", "le", "gt", "ge", "eq", "ne", "LIKE", "notlike", "In"];

fn values(field: &str) -> &'static [&'static str] {
    match field {
        "nofollow" => &["true", "false", "TRUE"],
        "ip" => &["'192.0.2.10'", "'::ffff:10.0.0.1'", "'2001:DB8::1'", "''"],
        "insDate" | "updDate" | "cdate" | "udate" => &["20240227", "'20240228'", "‘20240229’"],
        "sr" => &["0", "2.43", "4.86", "-1", "7.3"],
        "extL" | "intL" | "sumL" | "pos" | "blpcount" | "frequency" | "links" => {
            &["0", "1", "2.5", "10", "-0"]
        }
        "linktarget" => &["'http://example.com/'", "'https%'", "'%/_'"],
        "backlinkpage" => &["'http://192.0.2.7/'", "'%github.io/'", "'http://B%'"],
        "ccode" => &["'SE'", "''", "'se'"],
        _ => &[
            "''",
            "'home'",
            "'it''s'",
            "‘it's’",
            "'%O%'",
            "'_'",
            "'ä'",
            "'Ä'",
            "'aimg'",
            "‘301’",
            "'100%_x'",
        ],
    }
}

fn is_text(field: &str) -> bool {
    matches!(
        field,
        "city"
            | "country"
            | "ccode"
            | "linktarget"
            | "title"
            | "backlinkpage"
            | "linktext"
            | "tag"
            | "anchortext"
            | "ip"
            | "insDate"
            | "updDate"
            | "cdate"
            | "udate"
    )
}

fn condition(fields: &'static [&'static str]) -> impl Strategy<Value = Condition> {
    (select(fields), select(OPERATORS)).prop_flat_map(|(field, operator)| {
        let pattern = matches!(operator, "LIKE" | "notlike") && is_text(field);
        let operator = if operator.len() > 2 && !pattern { "ge" } else { operator };
        let most = if operator == "In" { 3 } else { 1 };
        proptest::collection::vec(select(values(field)), 1..=most).prop_map(move |values| {
            // A pattern always stands in quotes.
            let quote = |value: &str| {
                let bare = pattern && !value.starts_with(['\'', '‘']);
                if bare { format!("'{value}'") } else { value.to_owned() }
            };
            Condition { field, operator, values: values.into_iter().map(quote).collect() }
        })
    })
}

impl Condition {
    fn written(&self) -> String {
        let values = self.values.join(" , ");
        match self.operator {
            "In" => format!("{} In ({values})", self.field),
            operator => format!("{} {operator} {values}", self.field),
        }
    }

    fn holds(&self, row: &Value) -> bool {
        let actual = &row[self.field];
        let order = |value: &String| oracle::compare(self.field, actual, &self.literal(actual, value));
        let first = &self.values[0];
        match self.operator {
            "lt" => order(first).is_lt(),
            "le" => order(first).is_le(),
            "gt" => order(first).is_gt(),
            "ge" => order(first).is_ge(),
            "eq" => order(first).is_eq(),
            "ne" => order(first).is_ne(),
            "In" => self.values.iter().any(|value| order(value).is_eq()),
            like => {
                let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
                let fits = fits(&lower(&unquoted(first)), &lower(actual.as_str().unwrap()));
                fits == (like == "LIKE")
            }
        }
    }

    fn literal(&self, actual: &Value, value: &str) -> Value {
        match actual {
            Value::Bool(_) => json!(value.eq_ignore_ascii_case("true")),
            Value::Number(_) => json!(value.parse::<f64>().unwrap()),
            _ if self.field == "ip" => json!(unquoted(value).replace("::ffff:", "")),
            _ => json!(unquoted(value)),
        }
    }
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('‘') {
        Some(rest) => rest.trim_end_matches('’').to_owned(),
        None => match value.strip_prefix('\'') {
            Some(rest) => rest[..rest.len() - 1].replace("''", "'"),
            None => value.to_owned(),
        },
    }
}

fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('%', rest)), _) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        (Some((p, rest)), Some((t, tail))) => (*p == '_' || p == t) && fits(rest, tail),
        _ => false,
    }
}

/// A question to a list.
#[derive(Clone, Debug)]
struct Question {
    conditions: Vec<Condition>,
    order: Vec<String>,
    window: Window,
    internal: Internal,
}

fn question(listing: &'static Listing) -> impl Strategy<Value = Question> {
    let order = (any::<bool>(), select(listing.order_fields))
        .prop_map(|(down, field)| format!("{}{field}", if down { "-" } else { "" }));
    (
        proptest::collection::vec(condition(listing.where_fields), 0..3),
        proptest::collection::vec(order, 0..4),
        (0usize..12, 0usize..12),
        select(&[Internal::Include, Internal::Include, Internal::Exclude][..]),
    )
        .prop_map(|(conditions, order, (offset, limit), internal)| Question {
            conditions,
            order,
            window: Window { offset, limit },
            internal,
        })
}

/// Asks the engine; the rows shown and the count.
fn ask(listing: &Listing, question: &Question, records: &[BacklinkRecord]) -> (Value, usize) {
    let deadline = Deadline::after(Duration::from_secs(60));
    let written: Vec<String> = question.conditions.iter().map(Condition::written).collect();
    let order = question.order.iter().map(String::as_str);
    let plan = listing.plan(Some(&written.join(" and ")), order).unwrap();
    assert_eq!(plan.warnings, [""; 0]);
    let selection =
        Selection { scope: Scope::Domain { domain: "example.com".to_owned() }, internal: question.internal };
    let rows = deadline.over(records.iter().cloned().map(Ok::<_, QueryError>));
    let fields = listing.fields(&plan).unwrap();
    let table = backlink_table(rows, &selection, &fields, &SUFFIXES).unwrap();
    let page = listing.answer(&plan, question.window, &table, &MadeUp, &deadline).unwrap();
    (serde_json::to_value(&page).unwrap(), page.count)
}

fn links(question: &Question, records: &[BacklinkRecord]) -> Vec<Value> {
    let own = "http://own.example.com/";
    let counts = |row: &Value| question.internal == Internal::Include || row["backlinkpage"] != own;
    records.iter().map(exported).filter(|row| row["active"] == true && counts(row)).collect()
}

/// All rows, filtered, ordered and cut the slow way.
fn expected(rows: Vec<Value>, question: &Question, listing: &Listing, numbers: &[&str]) -> (Value, usize) {
    let passes = |row: &Value| question.conditions.iter().all(|condition| condition.holds(row));
    let passing: Vec<Value> = rows.into_iter().filter(passes).collect();
    let order: Vec<&str> = if question.order.is_empty() {
        listing.default_order.to_vec()
    } else {
        question.order.iter().map(String::as_str).collect()
    };
    let count = passing.len();
    let ordered = oracle::ordered(passing, &order);
    (Value::Array(oracle::window(&ordered, question.window.offset, question.window.limit, numbers)), count)
}

fn records() -> impl Strategy<Value = Vec<BacklinkRecord>> {
    proptest::collection::vec(record(), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn backlinks_are_as_worked_out_slowly(
        records in records(),
        question in question(&backlinks::LISTING),
    ) {
        let rows = oracle::backlinks(&links(&question, &records));
        let expected = expected(rows, &question, &backlinks::LISTING, &["nr", "dsCount"]);
        prop_assert_eq!(ask(&backlinks::LISTING, &question, &records), expected);
    }

    #[test]
    fn linktexts_are_as_worked_out_slowly(
        records in records(),
        question in question(&linktexts::LISTING),
    ) {
            let rows = oracle::linktexts(&links(&question, &records), &SUFFIXES);
        let expected = expected(rows, &question, &linktexts::LISTING, &[]);
        prop_assert_eq!(ask(&linktexts::LISTING, &question, &records), expected);
    }

    #[test]
    fn referring_domains_are_as_worked_out_slowly(
        records in records(),
        question in question(&referringdomains::LISTING),
    ) {
            let rank = |domain: &str| oracle::number(f64::from(made_up(domain)));
        let rows = oracle::referring_domains(&links(&question, &records), &SUFFIXES, rank);
        let expected = expected(rows, &question, &referringdomains::LISTING, &["dsCount"]);
        prop_assert_eq!(ask(&referringdomains::LISTING, &question, &records), expected);
    }
}

/// Pages laid side by side give every row once, in one order.
#[test]
fn paging_neither_repeats_nor_drops_a_row() {
    let record = |number: u32| BacklinkRecord {
        source: url(&format!("http://s{}.example/{number}", number % 7)),
        target: url("http://example.com/"),
        seq: 0,
        pos: number % 2,
        tag: LinkTag::A,
        rel: Rel::NONE,
        anchor: format!("{}", number % 13),
        ins_day: Day(19_800),
        toggles: Vec::new(),
        blpcount: 1,
        page: SourcePage::default(),
    };
    let records: Vec<BacklinkRecord> = (0..100).map(record).collect();
    for listing in [&backlinks::LISTING, &linktexts::LISTING, &referringdomains::LISTING] {
        let ask = |offset, limit| {
            let window = Window { offset, limit };
            let (rows, count) = ask(
                listing,
                &Question { conditions: vec![], order: vec![], window, internal: Internal::Include },
                &records,
            );
            (rows.as_array().unwrap().clone(), count)
        };
        let (whole, count) = ask(0, 10_000);
        assert_eq!(whole.len(), count);
        let pieces: Vec<Value> = (0..count).step_by(3).flat_map(|offset| ask(offset, 3).0).collect();
        assert_eq!(pieces, whole);
    }
}
