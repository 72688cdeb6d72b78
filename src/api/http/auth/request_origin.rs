//! The origin of requests that may change something. A page of another site must not send them in a user's name
//! (cross-site request forgery): browsers send cookies and remembered passwords by themselves.
//!
//! Browsers say in `Sec-Fetch-Site` which site sent a request (W3C Fetch Metadata), and scripts cannot change it. They
//! leave it out on plain HTTP between machines; then `Origin` must be that of this server. A token is never sent by a
//! browser itself.

use http::header::{COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};

use super::access_token::bearer_token;
use super::session::session_id;
use crate::api::ApiError;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Checks the origin of a request that may change something. `is_allowed_origin` says whether `api.allow_origins`
/// permits its `Origin`.
///
/// # Errors
/// [`ApiError::Forbidden`] for a request that a page of another site may have sent.
pub(crate) fn check_origin(headers: &HeaderMap, is_allowed_origin: bool) -> Result<(), ApiError> {
    let has_cookie = session_id(headers).is_some();
    let is_own = match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => true,
        Some(_) => is_allowed_origin && !headers.contains_key(COOKIE),
        None => !has_cookie || is_same_origin(headers),
    };
    if is_own || bearer_token(headers).is_some() && !has_cookie {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "a page of another site may have sent this request; send it from the page of this server, or with a token"
            .to_owned(),
    ))
}

/// Whether `Origin` names the host and port of `Host`.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(ORIGIN), text(HOST)) else { return false };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(lines: &[(&'static str, &'static str)], is_allowed_origin: bool) -> bool {
        let lines = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        check_origin(&HeaderMap::from_iter(lines), is_allowed_origin).is_err()
    }

    #[test]
    fn only_this_site_changes_something_in_a_users_name() {
        let cookie = ("cookie", "backlinkd_session=x");
        let site = |site| ("sec-fetch-site", site);
        let (host, bearer) = (("host", "a.example:8080"), ("authorization", "Bearer x"));
        for (lines, refused) in [
            (&[][..], false),
            (&[("authorization", "Basic x")], false),
            (&[cookie], true),
            (&[cookie, site("same-origin")], false),
            (&[cookie, site("none")], false),
            (&[cookie, site("same-site")], true),
            (&[cookie, site("cross-site")], true),
            (&[site("cross-site")], true),
            (&[("authorization", "Basic x"), site("cross-site")], true),
            (&[bearer, site("cross-site")], false),
            (&[bearer, cookie, site("cross-site")], true),
            (&[cookie, host, ("origin", "http://a.example:8080")], false),
            (&[cookie, host, ("origin", "http://a.example")], true),
            (&[cookie, host, ("origin", "null")], true),
        ] {
            assert_eq!(is_refused(lines, false), refused, "{lines:?}");
        }
        assert!(!is_refused(&[site("cross-site")], true));
        assert!(is_refused(&[cookie, site("cross-site")], true));
    }
}
