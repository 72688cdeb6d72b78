//! Answers computed slowly, from exported rows.
//!
//! The functions work for any store: [`links`] and [`pages`] read a scope's exports, and the others need only these
//! rows.

pub mod history;
pub mod incoming;
pub mod intelligence;
pub mod neighbourhood;
pub mod outgoing;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;

use backlinkd::urls::Suffixes;
use serde_json::{Map, Value, json};

use super::about::About;
use super::client::Client;

/// All rows of an export.
pub fn export<'a>(client: &Client, endpoint: &str, about: impl Into<About<'a>>, limit: usize) -> Vec<Value> {
    let about = about.into().query();
    let mut rows = Vec::new();
    let mut next = String::new();
    loop {
        let reply = client.json(&format!("/{endpoint}?{about}&limit={limit}{next}"));
        let piece = reply["response"].as_array().unwrap().clone();
        assert_eq!(reply["count"], piece.len());
        rows.extend(piece);
        match &reply["next"] {
            Value::Null => return rows,
            token => next = format!("&next={}", token.as_str().unwrap()),
        }
    }
}

/// The active links of a scope, in key order.
pub fn links<'a>(client: &Client, about: impl Into<About<'a>>) -> Vec<Value> {
    export(client, "exportbacklinks", about, 1_000).into_iter().filter(|row| row["active"] == true).collect()
}

/// The pages of a scope, in key order.
pub fn pages<'a>(client: &Client, about: impl Into<About<'a>>) -> Vec<Value> {
    export(client, "exportpages", about, 1_000)
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} of {row}"))
}

fn host(url: &str) -> String {
    url::Url::parse(url).unwrap().host_str().unwrap().to_owned()
}

/// The registrable domain of a link's page.
pub fn source_domain(suffixes: &Suffixes, row: &Value) -> String {
    suffixes.domain_of(&host(text(row, "backlinkpage"))).to_owned()
}

/// Groups of rows by a key, in key order.
fn by<K: Ord>(rows: &[Value], key: impl Fn(&Value) -> K) -> BTreeMap<K, Vec<&Value>> {
    let mut groups: BTreeMap<K, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

/// A share in percent.
fn percentage(part: usize, all: usize) -> Value {
    number((part as f64 * 10_000.0 / all as f64).round())
}

/// Rows in their order; all after the first `top` are merged into one.
pub fn distribution(rows: &[Value], top: usize, name: &str) -> Vec<Value> {
    let mut shown = rows[..top.min(rows.len())].to_vec();
    let all: u64 = rows.iter().map(|row| row["frequency"].as_u64().unwrap()).sum();
    let rest: u64 = rows.iter().skip(top).map(|row| row["frequency"].as_u64().unwrap()).sum();
    if rows.len() > top {
        shown.push(json!({
            name: "others", "frequency": rest, "refdoms": 0, "rest": true,
            "percentage": percentage(rest as usize, all as usize),
        }));
    }
    shown
}

/// Hundredths in the notation of the answers.
pub fn number(hundredths: f64) -> Value {
    if hundredths % 100.0 == 0.0 { json!((hundredths / 100.0) as u64) } else { json!(hundredths / 100.0) }
}

/// The sort key of a value: numbers by size, `ip` by address value, other texts by code point.
pub fn compare(key: &str, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap(),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) if key == "ip" => {
            a.parse::<IpAddr>().ok().cmp(&b.parse::<IpAddr>().ok())
        }
        (Value::String(a), Value::String(b)) => a.chars().cmp(b.chars()),
        _ => panic!("{a} and {b} do not compare"),
    }
}

/// Rows in the requested order; the sort is stable.
pub fn ordered(mut rows: Vec<Value>, order: &[&str]) -> Vec<Value> {
    rows.sort_by(|a, b| {
        order.iter().fold(Ordering::Equal, |so_far, key| {
            so_far.then_with(|| match key.strip_prefix('-') {
                Some(key) => compare(key, &b[key], &a[key]),
                None => compare(key, &a[key], &b[key]),
            })
        })
    });
    rows
}

/// A window of the rows, with row numbers under the given names.
pub fn window(rows: &[Value], offset: usize, limit: usize, numbers: &[&str]) -> Vec<Value> {
    let shown = rows.iter().enumerate().skip(offset).take(limit);
    shown
        .map(|(at, row)| {
            let mut row: Map<String, Value> = row.as_object().unwrap().clone();
            for name in numbers {
                row.insert((*name).to_owned(), json!(at + 1));
            }
            Value::Object(row)
        })
        .collect()
}
