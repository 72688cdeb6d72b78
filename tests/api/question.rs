//! Queries of lists: how they are written, and independently of that, their meaning.

use backlinkd::query::{Internal, Listing, Window};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::client::encode;
use super::oracle;

/// A condition in text form and, independently of it, as a predicate on a row.
#[derive(Clone, Debug)]
pub struct Condition {
    field: &'static str,
    operator: &'static str,
    values: Vec<String>,
}

const OPERATORS: &[&str] = &["lt", "le", "gt", "ge", "eq", "ne", "LIKE", "notlike", "In"];

fn values(field: &str) -> &'static [&'static str] {
    match field {
        "nofollow" | "active" => &["true", "false", "TRUE"],
        "ip" => &["'192.0.2.10'", "'::ffff:10.0.0.1'", "'2001:DB8::1'", "''"],
        "insDate" | "updDate" | "cdate" | "udate" | "lostDate" => &["20240227", "'20240228'", "‘20240229’"],
        "sr" => &["0", "2.43", "4.86", "-1", "7.3"],
        "extL" | "intL" | "sumL" | "pos" | "blpcount" | "frequency" | "links" | "links1" | "links2"
        | "links3" | "domainLinks" | "refdoms" | "common" | "hop" | "pages" => &["0", "1", "2.5", "10", "-0"],
        "code" => &["0", "200", "299.5", "404"],
        "jaccard" => &["0.5", "0.3333", "1", "0.25", "0"],
        "linkedpage" | "linktarget" | "page" | "url" | "start" => {
            &["'http://example.com/'", "'https%'", "'%/_'"]
        }
        "backlinkpage" => &["'http://192.0.2.7/'", "'%github.io/'", "'http://B%'"],
        "ccode" => &["'SE'", "''", "'se'"],
        "domain" => &["'example.com'", "'%.COM'", "'b.github.io'"],
        "failure" => &["''", "'dns'", "'T%'"],
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
            | "linkedpage"
            | "page"
            | "url"
            | "start"
            | "end"
            | "failure"
            | "domain"
            | "lostDate"
            | "host"
            | "ip"
            | "insDate"
            | "updDate"
            | "cdate"
            | "udate"
    )
}

fn conditions(fields: &'static [&'static str]) -> BoxedStrategy<Vec<Condition>> {
    if fields.is_empty() {
        return Just(Vec::new()).boxed();
    }
    proptest::collection::vec(condition(fields), 0..3).boxed()
}

fn condition(fields: &'static [&'static str]) -> impl Strategy<Value = Condition> {
    (select(fields), select(OPERATORS)).prop_flat_map(|(field, operator)| {
        let pattern = matches!(operator, "LIKE" | "notlike") && is_text(field);
        let operator = if operator.len() > 2 && !pattern { "ge" } else { operator };
        let most = if operator == "In" { 3 } else { 1 };
        proptest::collection::vec(select(values(field)), 1..=most).prop_map(move |values| {
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
            like => {
                let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
                let shown = actual.as_str().map_or_else(|| actual.to_string(), str::to_owned);
                let fits = fits(&lower(&unquoted(first)), &lower(&shown));
                fits == (like == "LIKE")
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
    pub conditions: Vec<Condition>,
    pub order: Vec<String>,
    pub window: Window,
    pub internal: Internal,
}

pub fn question(listing: &'static Listing) -> impl Strategy<Value = Question> {
    let order = (any::<bool>(), select(listing.order_fields))
        .prop_map(|(down, field)| format!("{}{field}", if down { "-" } else { "" }));
    (
        conditions(listing.where_fields),
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
    let ordered = oracle::ordered(passing, &order);
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
            let written: Vec<String> = self.conditions.iter().map(Condition::written).collect();
            query.push_str(&format!("&where={}", encode(&written.join(" AND "))));
        }
        query
    }
}
