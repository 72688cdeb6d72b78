//! The endpoint table.

use http::Method;

use crate::api::endpoint::Endpoint;
use crate::api::endpoints;
use crate::store::Role;

/// Every endpoint of the API, by name.
pub static ENDPOINTS: &[&Endpoint] = &[
    &endpoints::anabacklinks::ENDPOINT,
    &endpoints::anaurls::ENDPOINT,
    &endpoints::backlinks::ENDPOINT,
    &endpoints::backlinks_histogram::ENDPOINT,
    &endpoints::backlinkshort::ENDPOINT,
    &endpoints::bestpages::ENDPOINT,
    &endpoints::brokenbacklinks::ENDPOINT,
    &endpoints::competitors::ENDPOINT,
    &endpoints::domainpopularity::ENDPOINT,
    &endpoints::domains::ENDPOINT,
    &endpoints::edugovlinks::ENDPOINT,
    &endpoints::exportbacklinks::ENDPOINT,
    &endpoints::exportpages::ENDPOINT,
    &endpoints::geolocationshort::ENDPOINT,
    &endpoints::history::ENDPOINT,
    &endpoints::httpstatus::ENDPOINT,
    &endpoints::iplist::ENDPOINT,
    &endpoints::ippopularity::ENDPOINT,
    &endpoints::iscached::ENDPOINT,
    &endpoints::linkedpages::ENDPOINT,
    &endpoints::linkintersect::ENDPOINT,
    &endpoints::linkratio::ENDPOINT,
    &endpoints::linkspread::ENDPOINT,
    &endpoints::linktextdistribution::ENDPOINT,
    &endpoints::linktexts::ENDPOINT,
    &endpoints::linktypes::ENDPOINT,
    &endpoints::lostbacklinks::ENDPOINT,
    &endpoints::lostdomains::ENDPOINT,
    &endpoints::neighbourhood::ENDPOINT,
    &endpoints::newandlost_histogram::ENDPOINT,
    &endpoints::newbacklinks::ENDPOINT,
    &endpoints::newdomains::ENDPOINT,
    &endpoints::outgoinghosts::ENDPOINT,
    &endpoints::outgoinglinkcount::ENDPOINT,
    &endpoints::outgoinglinks::ENDPOINT,
    &endpoints::outgoinglinktexts::ENDPOINT,
    &endpoints::outgoingtoppages::ENDPOINT,
    &endpoints::pagedistribution::ENDPOINT,
    &endpoints::redirectchain::ENDPOINT,
    &endpoints::referringdomains::ENDPOINT,
    &endpoints::sr::ENDPOINT,
    &endpoints::srspread::ENDPOINT,
    &endpoints::stats::ENDPOINT,
    &endpoints::suggest::ENDPOINT,
    &endpoints::summary::ENDPOINT,
    &endpoints::tagtypes::ENDPOINT,
    &endpoints::tldlist::ENDPOINT,
];

/// Every endpoint about the crawl, by name.
pub static CRAWL_ENDPOINTS: &[&Endpoint] = &[
    &endpoints::crawl::status::ENDPOINT,
    &endpoints::crawl::blocks::ENDPOINT,
    &endpoints::crawl::errors::ENDPOINT,
    &endpoints::crawl::hosts::ENDPOINT,
    &endpoints::crawl::pause::ENDPOINT,
    &endpoints::crawl::rank::ENDPOINT,
    &endpoints::crawl::recrawl::ENDPOINT,
    &endpoints::crawl::resume::ENDPOINT,
    &endpoints::crawl::seeds::ENDPOINT,
    &endpoints::explain::ENDPOINT,
    &endpoints::host::ENDPOINT,
];

/// The path of the tools for agents. It is no endpoint: tools describe themselves, and not in the OpenAPI document.
pub(super) const MCP_PATH: &str = "/mcp";

/// Endpoints about the server itself.
static SERVICE_ENDPOINTS: &[&Endpoint] = &[
    &endpoints::root::ENDPOINT,
    &endpoints::health::HEALTH,
    &endpoints::health::LIVEZ,
    &endpoints::openapi::ENDPOINT,
    &endpoints::session::ENDPOINT,
];

/// Iterates over all endpoints.
pub(super) fn all() -> impl Iterator<Item = &'static Endpoint> {
    SERVICE_ENDPOINTS.iter().chain(ENDPOINTS).chain(CRAWL_ENDPOINTS).copied()
}

/// Whether the path belongs to a health probe. Every request asks this first, so it does not search the table.
pub(super) fn is_probe(path: &str) -> bool {
    let name = path.strip_prefix('/');
    [&endpoints::health::HEALTH, &endpoints::health::LIVEZ].iter().any(|probe| name == Some(probe.name))
}

/// Whether the path belongs to the endpoint that signs users in and out.
pub(super) fn is_session(path: &str) -> bool {
    path.strip_prefix('/') == Some(endpoints::session::ENDPOINT.name)
}

/// The role that a request needs. A path without an endpoint needs the role that reads.
pub(super) fn needed_role(path: &str, method: &Method) -> Role {
    find(path).map_or(Role::Read, |endpoint| endpoint.role_for(method))
}

/// Returns the endpoint at a path.
pub(super) fn find(path: &str) -> Option<&'static Endpoint> {
    let name = path.strip_prefix('/')?;
    all().find(|endpoint| endpoint.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Handler;
    use crate::query::{ColumnExpr, Listing, RowKind};

    /// Every listing that an endpoint declares, under the endpoint's name.
    fn listings() -> Vec<(&'static str, &'static Listing)> {
        let mut listings = Vec::new();
        for endpoint in all() {
            let incoming = match endpoint.handler {
                Handler::Distribution { incoming, .. } => incoming,
                _ => None,
            };
            let optional = endpoint.optional_columns().iter().map(|columns| columns.listing);
            let of_endpoint = endpoint.handler.listing().into_iter().chain(incoming).chain(optional);
            listings.extend(of_endpoint.map(|listing| (endpoint.title(), listing)));
        }
        listings
    }

    fn fields_of(expr: ColumnExpr) -> Vec<&'static str> {
        match expr {
            ColumnExpr::RowNumber | ColumnExpr::Count | ColumnExpr::Percentage => Vec::new(),
            ColumnExpr::LastActiveDay => vec!["active", "updDate", "lostDate"],
            ColumnExpr::LinkVisit(_) => vec!["backlinkpage", "active", "updDate", "seenDate"],
            ColumnExpr::Field(field)
            | ColumnExpr::Lowest(field)
            | ColumnExpr::CountUnset(field)
            | ColumnExpr::Distinct(field)
            | ColumnExpr::DistinctMinusOne(field)
            | ColumnExpr::Mode(field)
            | ColumnExpr::ImageShare(field)
            | ColumnExpr::PageRank(field)
            | ColumnExpr::DomainRank(field)
            | ColumnExpr::RefDomains(field)
            | ColumnExpr::ForeignRefDomains(field)
            | ColumnExpr::CountSameValue(field)
            | ColumnExpr::PageState { page: field, .. } => vec![field],
            ColumnExpr::ModeGiven { field, given } => vec![field, given],
            ColumnExpr::JaccardIndex { common, scope_refdoms, domain } => vec![common, scope_refdoms, domain],
        }
    }

    fn needs_groups(expr: ColumnExpr) -> bool {
        matches!(
            expr,
            ColumnExpr::Count
                | ColumnExpr::Percentage
                | ColumnExpr::Distinct(_)
                | ColumnExpr::DistinctMinusOne(_)
                | ColumnExpr::Mode(_)
                | ColumnExpr::ModeGiven { .. }
                | ColumnExpr::ImageShare(_)
                | ColumnExpr::Lowest(_)
                | ColumnExpr::CountUnset(_)
                | ColumnExpr::LastActiveDay
        )
    }

    /// The faults of a declaration.
    fn faults(listing: &Listing) -> Vec<String> {
        let has_field = |field: &str| listing.rows.value_type_of(field).is_some();
        let mut faults = Vec::new();
        for column in listing.columns.iter().chain(listing.hidden_columns) {
            let missing = fields_of(column.from).into_iter().filter(|field| !has_field(field));
            faults.extend(missing.map(|field| format!("column {} reads {field}", column.name)));
            if needs_groups(column.from) && listing.group_by.is_none() {
                faults.push(format!("column {} needs groups", column.name));
            }
        }
        let is_column =
            |name: &str| listing.column(name).is_some_and(|column| listing.value_type(column).is_some());
        let named = listing.first_per.into_iter();
        faults.extend(named.filter(|name| !is_column(name)).map(|name| format!("{name} is no column")));
        let mut names: Vec<&str> =
            listing.columns.iter().chain(listing.hidden_columns).map(|column| column.name).collect();
        names.sort_unstable();
        let doubled = names.windows(2).filter(|pair| pair[0] == pair[1]);
        faults.extend(doubled.map(|pair| format!("two columns are {}", pair[0])));
        let default = listing.default_order.iter().map(|key| key.trim_start_matches('-'));
        let order_fields = listing.order_fields();
        let unknown = default.filter(|name| !order_fields.contains(name));
        faults.extend(unknown.map(|name| format!("{name} is no order field")));
        let is_shown = |key| listing.columns.iter().any(|column| column.from == ColumnExpr::Field(key));
        faults.extend(listing.group_by.filter(|key| !is_shown(key)).map(|key| format!("{key} is not shown")));
        let read = listing.only.map(fields_of).unwrap_or_default().into_iter().chain(listing.requires_known);
        faults.extend(read.filter(|field| !has_field(field)).map(|field| format!("{field} is no field")));
        faults
    }

    #[test]
    fn listings_name_only_what_their_rows_have() {
        assert!(listings().len() > 20);
        for (endpoint, listing) in listings() {
            assert_eq!(faults(listing), Vec::<String>::new(), "{endpoint}: {}", listing.name);
        }
    }

    #[test]
    fn a_faulty_declaration_is_found() {
        for faulty in [
            Listing {
                hidden_columns: endpoints::backlinks::LISTING.hidden_columns,
                ..endpoints::backlinks::STRONGEST_OF_DOMAINS
            },
            Listing { hidden_columns: endpoints::linktexts::LISTING.columns, ..Listing::DEFAULT },
            Listing { default_order: &["-nothing"], ..Listing::DEFAULT },
            Listing { first_per: Some("nothing"), ..Listing::DEFAULT },
            Listing { group_by: Some("linktext"), ..Listing::DEFAULT },
            Listing { requires_known: Some("nothing"), ..Listing::DEFAULT },
            Listing { group_by: None, ..endpoints::linktexts::LISTING },
            Listing { rows: RowKind::Hops, ..endpoints::linktexts::LISTING },
        ] {
            assert!(!faults(&faulty).is_empty(), "{faulty:?}");
        }
    }
}
