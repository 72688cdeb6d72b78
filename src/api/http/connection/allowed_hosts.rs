//! The host names that requests may address. An API without authentication accepts only names of this machine.
//!
//! Otherwise a web page could read an open API on loopback through the browser of its visitor: the page's own name
//! resolves to 127.0.0.1 the second time (DNS rebinding). Requests that name no host or several are malformed (RFC
//! 9112, section 3.2).

use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri, Version};

use crate::api::ApiError;

/// The host names that are accepted; `None` accepts any.
pub(crate) struct AllowedHosts(Option<Vec<String>>);

impl AllowedHosts {
    /// For an API with authentication: any name, unless some are configured.
    pub(crate) fn with_authentication(configured: &[String]) -> Self {
        Self((!configured.is_empty()).then(|| lowercase(configured)))
    }

    /// For an open API: the names and addresses of this machine, and those configured.
    pub(crate) fn for_open_api(configured: &[String]) -> Self {
        Self(Some(lowercase(configured)))
    }

    /// Checks the host of a request.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a missing, repeated or malformed host; [`ApiError::UnknownHost`].
    pub(crate) fn check(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let mut named = headers.get_all(HOST).iter();
        let header = named.next();
        if named.next().is_some() {
            return Err(bad_request("has more than one Host header; send one"));
        }
        let header = header
            .map(|value| value.to_str().ok().and_then(|text| text.parse::<Authority>().ok()))
            .map(|authority| authority.ok_or_else(|| bad_request("has a Host header that names no host")))
            .transpose()?;
        let authority = match (uri.authority(), header) {
            // The request target takes precedence (RFC 9112, section 3.2.2); in HTTP/2 both must be equal (RFC 9113,
            // section 8.3.1).
            (Some(target), Some(header)) if version >= Version::HTTP_2 && *target != header => {
                return Err(bad_request("names two different hosts"));
            }
            (Some(target), _) => target.clone(),
            (None, Some(header)) => header,
            // HTTP/1.0 has no Host header, and browsers do not use it.
            (None, None) if version < Version::HTTP_11 => return Ok(()),
            (None, None) => return Err(bad_request("has no Host header; send one")),
        };
        if self.allows(authority.host()) {
            Ok(())
        } else {
            Err(ApiError::UnknownHost(authority.host().to_owned()))
        }
    }

    fn allows(&self, host: &str) -> bool {
        let Some(configured) = &self.0 else { return true };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        let is_local = host == "localhost" || host.ends_with(".localhost");
        is_local
            || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
            || configured.contains(&host)
    }
}

fn lowercase(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
}

fn bad_request(what: &str) -> ApiError {
    ApiError::BadRequest(format!("the request {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &AllowedHosts, named: &[&str]) -> Result<(), u16> {
        let headers = named.iter().map(|name| (HOST, name.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers.collect::<Vec<_>>());
        hosts
            .check(Version::HTTP_11, &Uri::from_static("/"), &headers)
            .map_err(|error| error.status().as_u16())
    }

    #[test]
    fn an_open_api_accepts_the_names_of_its_machine() {
        let hosts = AllowedHosts::for_open_api(&["Crawler.Lan".to_owned()]);
        for name in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:80",
            "127.9.9.9",
            "[::1]:8080",
            "a.localhost",
            "crawler.lan:1",
            "localhost.",
        ] {
            assert_eq!(check(&hosts, &[name]), Ok(()), "{name}");
        }
        for name in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.0.2.1",
            "[::2]",
            "crawler",
        ] {
            assert_eq!(check(&hosts, &[name]), Err(421), "{name}");
        }
        for names in [&[][..], &["localhost", "localhost"], &["a b"], &[""], &["localhost/x"]] {
            assert_eq!(check(&hosts, names), Err(400), "{names:?}");
        }
    }

    #[test]
    fn an_api_with_users_accepts_any_name_unless_some_are_configured() {
        assert_eq!(check(&AllowedHosts::with_authentication(&[]), &["evil.example"]), Ok(()));
        let hosts = AllowedHosts::with_authentication(&["links.example".to_owned()]);
        assert_eq!(check(&hosts, &["links.example:443"]), Ok(()));
        assert_eq!(check(&hosts, &["evil.example"]), Err(421));
    }

    #[test]
    fn the_target_and_the_header_must_agree_on_the_host() {
        let hosts = AllowedHosts::for_open_api(&[]);
        let status = |version, uri: &str, header: &str| {
            let headers = HeaderMap::from_iter([(HOST, header.parse().unwrap())]);
            hosts.check(version, &uri.parse().unwrap(), &headers).map_err(|error| error.status().as_u16())
        };
        assert_eq!(status(Version::HTTP_11, "http://evil.example/", "localhost"), Err(421));
        assert_eq!(status(Version::HTTP_11, "http://localhost/", "evil.example"), Ok(()));
        assert_eq!(status(Version::HTTP_2, "http://localhost/", "evil.example"), Err(400));
        let none = HeaderMap::new();
        assert!(hosts.check(Version::HTTP_10, &Uri::from_static("/"), &none).is_ok());
    }
}
