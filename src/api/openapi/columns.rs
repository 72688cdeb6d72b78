//! Describes the columns of a list for programs, as `x-columns` of its operation: what a table needs to show, sort and
//! filter them.

use serde_json::{Value, json};

use crate::api::{Endpoint, OptionalColumns};
use crate::query::{ColumnExpr, ListColumn, Listing, RANK, ValueType, operators_of};

/// Names of columns with their units and meanings. A test compares them with the lists, and another one prints those of
/// `backlinks` for the README.
const MEANINGS: &[(&str, &str, &str)] = &[
    ("active", "", "Whether the link is there."),
    ("anchortext", "", "The anchor text."),
    ("backlinkpage", "", "The page with the link."),
    ("backlinks", "links", "Backlinks."),
    ("blpcount", "links", "Links of the page to the domain of the target."),
    ("canonical", "", "The canonical URL that is honoured."),
    ("ccode", "", "The country code of the server."),
    ("cdate", "", "The day on which the link was first seen."),
    ("charset", "", "The character encoding of the page."),
    ("city", "", "The city of the server."),
    ("code", "", "The HTTP status."),
    ("common", "domains", "Domains that refer to both."),
    ("confirmed", "", "The day of the last visit that saw the link."),
    ("content-type", "", "The media type of the page."),
    ("country", "", "The country of the server."),
    ("cut", "", "Why the end of the body is missing."),
    ("date", "", "The day of the change."),
    ("description", "", "The description of the page."),
    ("diffdomains", "domains", "Referring domains."),
    ("domain", "", "The registrable domain of the page with the link, or of the row."),
    ("domainLinks", "links", "Links of the domain to the scope."),
    ("doubt", "", "Why later visits did not confirm the link."),
    ("dsCount", "", "The number of the row."),
    ("end", "", "Why the chain ends here."),
    ("extL", "links", "External links on the page."),
    ("extLinks", "links", "External links on the page."),
    ("failure", "", "Why the last visit of the target failed."),
    ("firstSeen", "", "The first day."),
    ("followed", "links", "Followed links."),
    ("frequency", "links", "Links."),
    ("hop", "", "The position in the chain."),
    ("host", "", "The host of the targets."),
    ("hosts", "hosts", "Known hosts."),
    ("http-code", "", "The HTTP status of the last response."),
    ("insDate", "", "The day on which the link was first seen."),
    ("intL", "links", "Internal links on the page."),
    ("ip", "", "The address of the server."),
    ("ip_count_additional", "addresses", "Further addresses of the servers."),
    ("jaccard", "", "The domains that refer to both, as a share of those that refer to either."),
    ("lastSeen", "", "The last day."),
    ("linkedpage", "", "The target of the links."),
    ("links", "links", "Links."),
    ("linktarget", "", "The target of the link."),
    ("linktext", "", "The anchor text."),
    ("lostDate", "", "The day on which the link was lost."),
    ("nofollow", "", "Whether the link passes no rank."),
    ("nr", "", "The number of the row."),
    ("page", "", "The target of the links."),
    ("pages", "pages", "Pages."),
    ("percentage", "%", "The share of all rows that belong to the row."),
    ("pos", "", "The position of the link on its page."),
    ("reason", "", "Why the link was lost."),
    ("refdoms", "domains", "Referring domains."),
    ("robots", "", "The robots directives that were obeyed."),
    ("sponsored", "", "Whether the link has rel=sponsored."),
    (RANK, "", "The IV Search Rank of the page or domain."),
    ("start", "", "The first URL of the chain."),
    ("sumL", "links", "Links on the page."),
    ("tag", "", "The element or redirect that makes the link."),
    ("title", "", "The title of the page."),
    ("tls", "", "The flaw of a certificate that could not be verified."),
    ("toplevel", "", "The last label of the host."),
    ("type", "", "Whether the links are images or texts."),
    ("udate", "", "The day of the last conclusive response of the page."),
    ("ugc", "", "Whether the link has rel=ugc."),
    ("updDate", "", "The day of the last conclusive response of the page."),
    ("update", "", "The day of the last conclusive response of the page."),
    ("url", "", "The URL."),
    ("webpage", "", "The page with the links."),
];

impl Endpoint {
    /// Describes the columns of the rows, as `x-columns`; `None` without a listing.
    pub fn describe_columns(&self) -> Option<Value> {
        self.handler.listing().map(|listing| describe(listing, self.optional_columns()))
    }
}

/// Describes the columns of a listing: those of every answer, those that no answer shows, and those of some requests.
fn describe(listing: &'static Listing, optional_columns: &[OptionalColumns]) -> Value {
    let mut columns: Vec<Value> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut push = |listing: &Listing, column: &ListColumn, key: Option<(&str, Value)>| {
        if !names.contains(&column.name) {
            let mut description = describe_column(listing, *column);
            if let Some((key, value)) = key {
                description[key] = value;
            }
            names.push(column.name);
            columns.push(description);
        }
    };
    listing.columns.iter().for_each(|column| push(listing, column, None));
    listing.hidden_columns.iter().for_each(|column| push(listing, column, Some(("shown", json!(false)))));
    for OptionalColumns { listing, when } in optional_columns {
        listing.columns.iter().for_each(|column| push(listing, column, Some(("when", json!(when)))));
    }
    columns.into()
}

fn describe_column(listing: &Listing, column: ListColumn) -> Value {
    let is_number = column.from == ColumnExpr::RowNumber;
    let kind = listing.value_type(column).unwrap_or(ValueType::Number);
    let operators: Vec<&str> = operators_of(kind).filter(|_| !is_number).collect();
    let (unit, description) = meaning(column.name);
    json!({
        "name": column.name,
        "kind": kind_name(column.name, kind),
        "sortable": !is_number,
        "operators": operators,
        "unit": unit,
        "description": description,
    })
}

fn kind_name(name: &str, kind: ValueType) -> &'static str {
    match kind {
        ValueType::Hundredths if name == RANK => "rank",
        ValueType::Number | ValueType::Hundredths | ValueType::TenThousandths => "number",
        ValueType::Flag => "flag",
        ValueType::Day | ValueType::DayNumber => "day",
        ValueType::Text => "text",
        ValueType::Address => "address",
    }
}

/// The unit and the meaning of a column. The columns of each target of `linkintersect` are numbered.
pub(in crate::api) fn meaning(name: &str) -> (&'static str, &'static str) {
    let found = MEANINGS.iter().find(|(known, ..)| *known == name);
    match found {
        Some((_, unit, description)) => (unit, description),
        None if name.starts_with("links") => ("links", "Links to the target of this number."),
        None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ENDPOINTS;

    #[test]
    fn every_column_has_a_meaning() {
        assert!(MEANINGS.is_sorted_by_key(|(name, ..)| *name));
        for endpoint in ENDPOINTS {
            let Some(columns) = endpoint.describe_columns() else { continue };
            for column in columns.as_array().unwrap() {
                assert_ne!(column["description"], "", "add {} to MEANINGS", column["name"]);
            }
        }
    }

    #[test]
    fn numbers_of_rows_are_neither_sorted_nor_filtered() {
        let columns = crate::api::endpoints::backlinks::ENDPOINT.describe_columns().unwrap();
        let find = |name: &str| {
            columns.as_array().unwrap().iter().find(|column| column["name"] == name).unwrap().clone()
        };
        assert_eq!((&find("nr")["sortable"], &find("nr")["operators"]), (&json!(false), &json!([])));
        assert_eq!(find("nofollow")["operators"], json!(["lt", "le", "gt", "ge", "eq", "ne", "in"]));
        assert_eq!(find("nofollow")["kind"], "flag");
        assert_eq!((&find("sr")["kind"], &find("insDate")["kind"]), (&json!("rank"), &json!("day")));
        assert_eq!((&find("ip")["kind"], &find("domain")["shown"]), (&json!("address"), &json!(false)));
        assert_eq!(find("domainLinks")["when"], "with group=domain");
    }
}
