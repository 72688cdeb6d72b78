//! Queries of lists: how they are written, and independently of that, their meaning.

use backlinkd::query::{Listing, SameDomainLinks, Window};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::client::encode;
use super::oracle;

/// A condition in text form and, independently of it, as a predicate on a row.
#[derive(Clone, Debug)]
pub struct Condition {
    field: &'static str,
    operator: &'static str,
    values: Vec<String>,
}

const OPERATORS: &[&str] = &[
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "In",
    "LIKE",
    "notlike",
    "Contains",
    "startswith",
    "ENDSWITH",
    "matches",
];

/// Operators that apply to texts only.
const OF_TEXTS: &[&str] = &["LIKE", "notlike", "Contains", "startswith", "ENDSWITH", "matches"];

/// Whether a text in lower case matches.
type Meaning = fn(&str) -> bool;

/// Regular expressions, and independently of them, their meanings for a text in lower case.
const EXPRESSIONS: &[(&str, Meaning)] = &[
    ("'^H'", |text| text.starts_with('h')),
    ("'e$'", |text| text.ends_with('e')),
    ("'^$'", str::is_empty),
    ("'[0-9]+'", |text| text.bytes().any(|byte| byte.is_ascii_digit())),
    ("'O|Ä'", |text| text.contains('o') || text.contains('ä')),
    ("'^(it''s|2.*8|https?:.*)$'", |text| {
        text == "it's"
            || (text.len() > 1 && text.starts_with('2') && text.ends_with('8'))
            || text.starts_with("http:")
            || text.starts_with("https:")
    }),
];

/// Conditions joined in text form and, independently of it, as a predicate on a row.
#[derive(Clone, Debug)]
pub enum Formula {
    Condition(Condition),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

impl Formula {
    /// With as few parentheses as possible, beside other conditions that are joined by AND.
    pub fn written(&self) -> String {
        self.written_in(1)
    }

    fn written_in(&self, least: u8) -> String {
        let joined = |parts: &[Self], least, word: &str| {
            parts.iter().map(|part| part.written_in(least)).collect::<Vec<_>>().join(word)
        };
        let (binds, text) = match self {
            Self::Any(parts) => (0, joined(parts, 0, " or ")),
            Self::All(parts) => (1, joined(parts, 1, " AND ")),
            Self::Not(inner) => (2, format!("Not {}", inner.written_in(2))),
            Self::Condition(condition) => (3, condition.written()),
        };
        if binds < least { format!("({text})") } else { text }
    }

    fn holds(&self, row: &Value) -> bool {
        match self {
            Self::Condition(condition) => condition.holds(row),
            Self::Not(inner) => !inner.holds(row),
            Self::All(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row)),
        }
    }
}

fn values(field: &str) -> &'static [&'static str] {
    match field {
        "nofollow" | "active" | "ugc" | "sponsored" => &["true", "false", "TRUE"],
        "ip" => &["'192.0.2.10'", "'::ffff:10.0.0.1'", "'2001:DB8::1'", "''"],
        "insDate" | "updDate" | "cdate" | "udate" | "update" | "lostDate" | "firstSeen" | "lastSeen" => {
            &["20240227", "'20240228'", "‘20240229’"]
        }
        "sr" => &["0", "2.43", "4.86", "-1", "7.3"],
        "extL"
        | "intL"
        | "sumL"
        | "pos"
        | "blpcount"
        | "frequency"
        | "links"
        | "links1"
        | "links2"
        | "links3"
        | "domainLinks"
        | "followed"
        | "refdoms"
        | "common"
        | "hop"
        | "pages"
        | "diffdomains"
        | "ip_count_additional"
        | "extLinks" => &["0", "1", "2.5", "10", "-0"],
        "code" => &["0", "200", "299.5", "404"],
        "percentage" => &["0", "33.33", "12.5", "50", "3.4"],
        "type" => &["'OnlyText'", "'%text'", "'mostlyimages'"],
        "toplevel" => &["'com'", "''", "'%O%'"],
        "webpage" => &["'example.com/'", "'%/'", "'e%'"],
        "jaccard" => &["0.5", "0.3333", "1", "0.25", "0"],
        "linkedpage" | "linktarget" | "page" | "url" | "start" => {
            &["'http://example.com/'", "'https%'", "'%/_'"]
        }
        "backlinkpage" => &["'http://192.0.2.7/'", "'%github.io/'", "'http://B%'"],
        "ccode" => &["'SE'", "''", "'se'"],
        "domain" => &["'example.com'", "'%.COM'", "'b.github.io'"],
        "failure" => &["''", "'dns'", "'T%'"],
        "reason" => &["''", "'removed'", "'%O%'", "'gone'"],
        "end" => &["''", "'reached'", "'%o%'"],
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
            | "toplevel"
            | "type"
            | "webpage"
            | "update"
            | "linkedpage"
            | "page"
            | "url"
            | "start"
            | "end"
            | "failure"
            | "domain"
            | "lostDate"
            | "firstSeen"
            | "lastSeen"
            | "reason"
            | "host"
            | "ip"
            | "insDate"
            | "updDate"
            | "cdate"
            | "udate"
    )
}

fn formula(fields: Vec<&'static str>) -> impl Strategy<Value = Formula> {
    condition(fields).prop_map(Formula::Condition).prop_recursive(3, 8, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|inner| Formula::Not(Box::new(inner))),
            several.clone().prop_map(Formula::All),
            several.prop_map(Formula::Any),
        ]
    })
}

fn condition(fields: Vec<&'static str>) -> impl Strategy<Value = Condition> {
    (select(fields), select(OPERATORS)).prop_flat_map(|(field, operator)| {
        let pattern = OF_TEXTS.contains(&operator) && is_text(field);
        let operator = if OF_TEXTS.contains(&operator) && !pattern { "ge" } else { operator };
        let most = if operator == "In" { 3 } else { 1 };
        let values = if operator == "matches" {
            EXPRESSIONS.iter().map(|(text, _)| *text).collect()
        } else {
            values(field).to_vec()
        };
        proptest::collection::vec(select(values), 1..=most).prop_map(move |values| {
            // A pattern is always in quotes.
            let quote = |value: &str| {
                let bare = pattern && !value.starts_with(['\'', '‘']);
                if bare { format!("'{value}'") } else { value.to_owned() }
            };
            Condition { field, operator, values: values.into_iter().map(quote).collect() }
        })
    })
}

impl Condition {
    pub fn written(&self) -> String {
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
            of_texts => {
                let shown = actual.as_str().map_or_else(|| actual.to_string(), str::to_owned);
                let (shown, wanted) = (shown.to_lowercase(), unquoted(first).to_lowercase());
                let letters = |text: &str| text.chars().collect::<Vec<_>>();
                match of_texts {
                    "Contains" => shown.contains(&wanted),
                    "startswith" => shown.starts_with(&wanted),
                    "ENDSWITH" => shown.ends_with(&wanted),
                    "matches" => EXPRESSIONS
                        .iter()
                        .find(|(text, _)| text == first)
                        .is_some_and(|(_, fits)| fits(&shown)),
                    like => fits(&letters(&wanted), &letters(&shown)) == (like == "LIKE"),
                }
            }
        }
    }

    fn literal(&self, actual: &Value, value: &str) -> Value {
        match actual {
            Value::Bool(_) => json!(value.eq_ignore_ascii_case("true")),
            // A day is a number that may be in quotes.
            Value::Number(_) => json!(unquoted(value).parse::<f64>().unwrap()),
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

/// A query of a list.
#[derive(Clone, Debug)]
pub struct Question {
    pub conditions: Vec<Formula>,
    pub order: Vec<String>,
    pub window: Window,
    pub internal: SameDomainLinks,
    pub facets: Vec<&'static str>,
}

pub fn question(listing: &Listing) -> impl Strategy<Value = Question> + use<> {
    question_except(listing, &[])
}

/// A query that does not name these fields.
pub fn question_except(listing: &Listing, except: &[&str]) -> impl Strategy<Value = Question> + use<> {
    let mut fields = listing.order_fields();
    fields.retain(|field| !except.contains(field));
    let order = (any::<bool>(), select(fields.clone()))
        .prop_map(|(down, field)| format!("{}{field}", if down { "-" } else { "" }));
    (
        proptest::collection::vec(formula(fields.clone()), 0..3),
        proptest::collection::vec(order, 0..4),
        (0usize..12, 0usize..12),
        select(&[SameDomainLinks::Include, SameDomainLinks::Include, SameDomainLinks::Exclude][..]),
        proptest::sample::subsequence(fields.clone(), 0..=fields.len().min(3)),
    )
        .prop_map(|(conditions, order, (offset, limit), internal, facets)| Question {
            conditions,
            order,
            window: Window { offset, limit },
            internal,
            facets,
        })
}

/// The facets of the rows that pass, and the rows with further values; `None` if there are no facets.
pub fn expected_facets(rows: &[Value], question: &Question) -> Option<(Value, Value)> {
    let (mut facets, mut others) = (Map::new(), Map::new());
    for field in &question.facets {
        let mut counts: Vec<(&Value, u64)> = Vec::new();
        for value in rows.iter().filter(|row| question.passes(row)).map(|row| &row[*field]) {
            match counts.iter_mut().find(|(known, _)| *known == value) {
                Some((_, count)) => *count += 1,
                None => counts.push((value, 1)),
            }
        }
        counts.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| oracle::compare(field, a, b)));
        let shown = counts.iter().take(20).map(|(value, rows)| json!({ "value": value, "rows": rows }));
        facets.insert((*field).to_owned(), shown.collect());
        let rest: u64 = counts.iter().skip(20).map(|(_, rows)| rows).sum();
        others.insert((*field).to_owned(), json!(rest));
    }
    (!question.facets.is_empty()).then(|| (facets.into(), others.into()))
}

/// Asserts that an answer has the facets of the rows that pass.
pub fn agree_on_facets(answer: &Value, rows: &[Value], question: &Question) {
    let found = answer.get("facets").map(|facets| (facets.clone(), answer["others"].clone()));
    assert_eq!(found, expected_facets(rows, question), "{question:?}");
}

/// All rows, slowly filtered, ordered and limited.
pub fn expected(
    rows: Vec<Value>,
    question: &Question,
    listing: &Listing,
    numbers: &[&str],
) -> (Value, usize) {
    let passing: Vec<Value> = rows.into_iter().filter(|row| question.passes(row)).collect();
    let order: Vec<&str> = if question.order.is_empty() {
        listing.default_order.to_vec()
    } else {
        question.order.iter().map(String::as_str).collect()
    };
    let count = passing.len();
    let mut ordered = oracle::ordered(passing, &order);
    let hidden: Vec<&str> = listing.hidden_columns.iter().map(|column| column.name).collect();
    for row in &mut ordered {
        row.as_object_mut().unwrap().retain(|key, _| !hidden.contains(&key.as_str()));
    }
    (Value::Array(oracle::window(&ordered, question.window.offset, question.window.limit, numbers)), count)
}

impl Question {
    /// Whether a row satisfies all conditions.
    pub fn passes(&self, row: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
    }

    /// As a part of a query string.
    pub fn query(&self) -> String {
        let Window { offset, limit } = self.window;
        let mut query = format!("&offset={offset}&limit={limit}");
        for field in &self.order {
            query.push_str(&format!("&order[]={field}"));
        }
        if !self.conditions.is_empty() {
            let written: Vec<String> = self.conditions.iter().map(Formula::written).collect();
            query.push_str(&format!("&where={}", encode(&written.join(" AND "))));
        }
        if !self.facets.is_empty() {
            query.push_str(&format!("&facets={}", self.facets.join(",")));
        }
        query
    }
}
