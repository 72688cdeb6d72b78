//! Compares the index with the description of the web.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;
use url::Url;

use super::expected::Expected;
use super::questions::{QUESTIONS, Question};
use super::{DemoError, PASSWORD, USER};
use crate::crawl::Figures;
use crate::fetch::{ServiceClient, ServiceCredentials, ServiceIdentity};
use crate::store::Stats;

/// One comparison.
pub(super) struct Check {
    pub what: String,
    /// The value found, or how it differs from the expected one.
    pub found: Result<String, String>,
}

/// All comparisons.
///
/// # Errors
/// [`DemoError::Ask`] when the API does not answer.
pub(super) async fn all(
    expected: &Expected<'_>,
    figures: &Figures,
    stats: &Stats,
    at: SocketAddr,
) -> Result<Vec<Check>, DemoError> {
    let mut checks = crawl(expected, figures, stats);
    checks.push(second_reading(figures));
    checks.extend(api(expected, at).await?);
    Ok(checks)
}

/// Compares the figures of the crawl.
fn crawl(expected: &Expected<'_>, figures: &Figures, stats: &Stats) -> Vec<Check> {
    let pages = || expected.pages.values();
    let distinct = |names: BTreeSet<&str>| names.len() as u64;
    [
        ("URLs fetched", figures.visits, pages().count() as u64),
        ("URLs refused by robots.txt", figures.disallowed, expected.refused.len() as u64),
        ("links", stats.links, pages().map(|page| page.links.len() as u64).sum()),
        ("external links", stats.backlinks, expected.backlinks(|_| true).count() as u64),
        ("hosts", stats.hosts, distinct(pages().map(|page| page.host.name).collect())),
        ("registrable domains", stats.domains, distinct(pages().map(|page| page.host.domain).collect())),
    ]
    .into_iter()
    .map(|(what, is, should_be)| Check {
        what: format!("crawl: {what}"),
        found: if is == should_be { Ok(is.to_string()) } else { Err(format!("{is} instead of {should_be}")) },
    })
    .collect()
}

/// Whether a second reading of every page, with the `scraper` crate, found the same links.
fn second_reading(figures: &Figures) -> Check {
    let found = match (figures.checked, figures.differing) {
        (0, _) => Err("no page was read".to_owned()),
        (checked, 0) => Ok(format!("those of {checked} pages")),
        (_, differing) => Err(format!("other links on {differing} pages")),
    };
    Check { what: "crawl: links, as scraper finds them".to_owned(), found }
}

/// Sends every question to the API, and one without a password.
///
/// # Errors
/// [`DemoError::Ask`] when there is no response.
async fn api(expected: &Expected<'_>, at: SocketAddr) -> Result<Vec<Check>, DemoError> {
    let mut checks = vec![check_unauthenticated(&client(at, None)?).await?];
    let credentials = ServiceCredentials::Password { user: USER, password: PASSWORD };
    let client = client(at, Some(credentials))?;
    for question in QUESTIONS {
        let found = rows(&client, question).await?.and_then(|rows| {
            question.sorted_by.map_or(Ok(()), |property| check_order(&rows, property))?;
            compare(&(question.rows)(expected), &rows)
        });
        checks.push(Check { what: question.path.to_owned(), found });
    }
    Ok(checks)
}

fn client(at: SocketAddr, credentials: Option<ServiceCredentials<'_>>) -> Result<ServiceClient, DemoError> {
    let identity = ServiceIdentity { credentials, host: None };
    Ok(ServiceClient::new(Url::parse(&format!("http://{at}/"))?, identity)?)
}

/// The status and JSON of a response.
///
/// # Errors
/// [`DemoError::Ask`] when there is no response, or one that is not JSON.
async fn ask(client: &ServiceClient, path: &str) -> Result<(u16, Value), DemoError> {
    let failed = |cause: String| DemoError::Ask { path: path.to_owned(), cause };
    let response = client.get(path).await.map_err(failed)?;
    let json = serde_json::from_slice(&response.body).map_err(|error| failed(error.to_string()))?;
    Ok((response.status, json))
}

async fn check_unauthenticated(client: &ServiceClient) -> Result<Check, DemoError> {
    let (status, _) = ask(client, QUESTIONS[0].path).await?;
    let found =
        if status == 401 { Ok("refused".to_owned()) } else { Err(format!("status {status}, not 401")) };
    Ok(Check { what: "without a password".to_owned(), found })
}

/// All rows of an answer, with all pages of an export. The inner error is a wrong answer.
async fn rows(client: &ServiceClient, question: &Question) -> Result<Result<Vec<Value>, String>, DemoError> {
    let (mut rows, mut path) = (Vec::new(), question.path.to_owned());
    // Lists count all their rows, exports those of a page, and single-row answers none.
    let is_list = question.sorted_by.is_some();
    loop {
        let (status, mut answer) = ask(client, &path).await?;
        let Value::Array(piece) = answer["response"].take() else {
            return Ok(Err(format!("status {status}: {answer}")));
        };
        let nothing = piece.is_empty();
        rows.extend(piece);
        match answer["next"].as_str() {
            Some(_) if nothing => return Ok(Err("an empty piece of an export that goes on".to_owned())),
            Some(token) => path = format!("{}&next={token}", question.path),
            None if is_list && answer["count"].as_u64() != Some(rows.len() as u64) => {
                return Ok(Err(format!("{} rows, but a count of {}", rows.len(), answer["count"])));
            }
            None => return Ok(Ok(rows)),
        }
    }
}

/// Whether the rows are in descending order of a property.
fn check_order(rows: &[Value], property: &str) -> Result<(), String> {
    let amounts: Vec<f64> = rows.iter().filter_map(|row| row[property].as_f64()).collect();
    if amounts.len() == rows.len() && amounts.is_sorted_by(|before, after| before >= after) {
        return Ok(());
    }
    Err(format!("its rows are not sorted by {property}: {amounts:?}"))
}

/// Compares rows in any order, by the properties of the expected ones.
fn compare(expected: &[Value], rows: &[Value]) -> Result<String, String> {
    let mut known = BTreeSet::new();
    expected.iter().for_each(|row| collect_names(row, &mut known));
    let plain = |rows: &[Value]| {
        let mut rows: Vec<String> = rows.iter().map(|row| project(row, &known).to_string()).collect();
        rows.sort();
        rows
    };
    let (mut missing, mut surplus) = (plain(expected), plain(rows));
    // Equal rows cancel out in pairs.
    missing.retain(|row| match surplus.iter().position(|other| other == row) {
        Some(at) => {
            surplus.remove(at);
            false
        }
        None => true,
    });
    match (missing.first(), surplus.first()) {
        (None, None) if rows.len() == 1 => Ok(project(&rows[0], &known).to_string()),
        (None, None) => Ok(format!("{} rows", rows.len())),
        (missing, surplus) => {
            let shown = |row: Option<&String>| row.map_or("nothing", String::as_str).to_owned();
            Err(format!("it holds {}\n{:11}instead of {}", shown(surplus), "", shown(missing)))
        }
    }
}

fn collect_names<'v>(value: &'v Value, names: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            names.insert(name);
            collect_names(value, names);
        }),
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

/// A value with only the known properties, and with numbers compared by value: 1 equals 1.0.
fn project(value: &Value, known: &BTreeSet<&str>) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(name, _)| known.contains(name.as_str()))
            .map(|(name, value)| (name.clone(), project(value, known)))
            .collect(),
        Value::Array(values) => values.iter().map(|value| project(value, known)).collect(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => {
                Value::from(format!("{float:.0}").parse::<i64>().unwrap_or_default())
            }
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}
