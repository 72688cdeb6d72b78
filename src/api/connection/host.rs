//! Under which names the API may be asked: those of this machine alone, where it asks for no credentials.
//!
//! Without that, a page of a stranger could read an open API on loopback through its visitor's browser: its own name
//! resolves to 127.0.0.1 the second time (DNS rebinding). Requests that name no host or several are malformed (RFC 9112,
//! section 3.2).

use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri, Version};

use crate::api::ApiError;

/// The names that may be asked for; `None`: any.
pub struct Hosts(Option<Vec<String>>);

impl Hosts {
    /// Those of an API that asks for credentials: any, unless some are configured.
    pub fn of_users(configured: &[String]) -> Self {
        Self((!configured.is_empty()).then(|| lower(configured)))
    }

    /// Those of an open API: this machine's names and addresses, the address it listens on, and those configured.
    pub fn of_everybody(configured: &[String]) -> Self {
        Self(Some(lower(configured)))
    }

    /// Checks the host of a request.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for none, several, or one that cannot be read; [`ApiError::UnknownHost`].
    pub fn check(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let mut named = headers.get_all(HOST).iter();
        let header = named.next();
        if named.next().is_some() {
            return Err(bad("has more than one Host header; send one"));
        }
        let header = header
            .map(|value| value.to_str().ok().and_then(|text| text.parse::<Authority>().ok()))
            .map(|authority| authority.ok_or_else(|| bad("has a Host header that names no host")))
            .transpose()?;
        let authority = match (uri.authority(), header) {
            // The target wins (RFC 9112, section 3.2.2); in HTTP/2 both must be the same (RFC 9113, 8.3.1).
            (Some(target), Some(header)) if version >= Version::HTTP_2 && *target != header => {
                return Err(bad("names two different hosts"));
            }
            (Some(target), _) => target.clone(),
            (None, Some(header)) => header,
            // The protocol of 1996 has no such header, and no browser speaks it.
            (None, None) if version < Version::HTTP_11 => return Ok(()),
            (None, None) => return Err(bad("has no Host header; send one")),
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

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
}

fn bad(what: &str) -> ApiError {
    ApiError::BadRequest(format!("the request {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, named: &[&str]) -> Result<(), u16> {
        let headers = named.iter().map(|name| (HOST, name.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers.collect::<Vec<_>>());
        hosts
            .check(Version::HTTP_11, &Uri::from_static("/"), &headers)
            .map_err(|error| error.status().as_u16())
    }

    #[test]
    fn an_open_api_answers_under_the_names_of_its_machine() {
        let hosts = Hosts::of_everybody(&["Crawler.Lan".to_owned()]);
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
    fn an_api_with_users_answers_under_any_name_unless_some_are_configured() {
        assert_eq!(check(&Hosts::of_users(&[]), &["evil.example"]), Ok(()));
        let hosts = Hosts::of_users(&["links.example".to_owned()]);
        assert_eq!(check(&hosts, &["links.example:443"]), Ok(()));
        assert_eq!(check(&hosts, &["evil.example"]), Err(421));
    }

    #[test]
    fn the_target_and_the_header_name_one_host() {
        let hosts = Hosts::of_everybody(&[]);
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
