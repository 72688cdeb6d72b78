//! The endpoint table.

use crate::api::endpoint::Endpoint;
use crate::api::endpoints;

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
    &endpoints::edugovlinks::ENDPOINT,
    &endpoints::exportbacklinks::ENDPOINT,
    &endpoints::exportpages::ENDPOINT,
    &endpoints::geolocationshort::ENDPOINT,
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
    &endpoints::newandlost_histogram::ENDPOINT,
    &endpoints::newbacklinks::ENDPOINT,
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
    &endpoints::tagtypes::ENDPOINT,
    &endpoints::tldlist::ENDPOINT,
];

/// Endpoints about the server itself.
static SERVICE_ENDPOINTS: &[&Endpoint] = &[
    &endpoints::root::ENDPOINT,
    &endpoints::health::HEALTH,
    &endpoints::health::LIVEZ,
    &endpoints::openapi::ENDPOINT,
];

/// Iterates over all endpoints.
pub fn all() -> impl Iterator<Item = &'static Endpoint> {
    SERVICE_ENDPOINTS.iter().chain(ENDPOINTS).copied()
}

/// Whether the path belongs to a health probe. Every request asks this first, so it does not search the table.
pub fn is_probe(path: &str) -> bool {
    let name = path.strip_prefix('/');
    [&endpoints::health::HEALTH, &endpoints::health::LIVEZ].iter().any(|probe| name == Some(probe.name))
}

/// Returns the endpoint at a path.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    let name = path.strip_prefix('/')?;
    all().find(|endpoint| endpoint.name == name)
}
