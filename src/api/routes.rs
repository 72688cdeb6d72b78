//! The endpoint table.

use super::endpoint::Endpoint;
use super::endpoints;

/// Every endpoint of the API, by name.
pub static ENDPOINTS: &[&Endpoint] = &[
    &endpoints::anabacklinks::ENDPOINT,
    &endpoints::backlinks::ENDPOINT,
    &endpoints::domainpopularity::ENDPOINT,
    &endpoints::exportbacklinks::ENDPOINT,
    &endpoints::exportpages::ENDPOINT,
    &endpoints::linktexts::ENDPOINT,
    &endpoints::referringdomains::ENDPOINT,
    &endpoints::sr::ENDPOINT,
];

/// What tells about the server itself.
static SERVICE: &[&Endpoint] = &[&endpoints::root::ENDPOINT, &endpoints::health::ENDPOINT];

/// The endpoint at a path.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    let name = path.strip_prefix('/')?;
    ENDPOINTS.iter().chain(SERVICE).find(|endpoint| endpoint.name == name).copied()
}
