//! The address of a client behind proxies, from `Forwarded` (RFC 7239) or `X-Forwarded-For`.
//!
//! Each proxy appends the address of its own client. The list is therefore read from its end, and the first address
//! that is not a trusted proxy is the client. Everything before it may be made up, including quotes that are never
//! closed. Only headers from trusted proxies count, and only the header that the proxies are configured to write: a
//! client may have sent the other one.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::ForwardedHeader;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether a trusted proxy says that its client speaks HTTPS. `X-Forwarded-Proto` belongs to `X-Forwarded-For`.
pub(crate) fn is_https(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    header: ForwardedHeader,
) -> bool {
    let peer = peer.to_canonical();
    if !trusted.iter().any(|network| network.contains(&peer)) {
        return false;
    }
    let (name, is_pair) = match header {
        ForwardedHeader::Forwarded => (FORWARDED, true),
        ForwardedHeader::XForwardedFor => (X_FORWARDED_PROTO, false),
    };
    let texts = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok());
    let mut parts = texts.flat_map(|text| text.split([',', ';'])).map(str::trim);
    parts.any(|part| match part.split_once('=') {
        Some((key, value)) if is_pair => {
            key.trim().eq_ignore_ascii_case("proto")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("https")
        }
        _ => !is_pair && part.eq_ignore_ascii_case("https"),
    })
}

/// Returns the address of the client whose request came from `peer`.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    header: ForwardedHeader,
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let name = match header {
        ForwardedHeader::Forwarded => FORWARDED,
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
    };
    let texts: Vec<&str> = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok()).collect();
    let elements = texts.iter().rev().flat_map(|text| match header {
        ForwardedHeader::Forwarded => split_from_end(text, ','),
        ForwardedHeader::XForwardedFor => text.rsplit(',').collect(),
    });
    for element in elements {
        let address = match header {
            ForwardedHeader::Forwarded => forwarded_for(element),
            ForwardedHeader::XForwardedFor => address_of(element),
        };
        // The address is obfuscated or malformed, so the proxy that wrote it counts as the client.
        let Some(address) = address else { break };
        client = address;
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// Returns the address in the `for` parameter of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    split_from_end(element, ';')
        .into_iter()
        .find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value)
        })
        .and_then(address_of)
}

/// Parses an address that is bare, in brackets, in quotes, or followed by a port.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Splits at separators outside quoted strings, last part first.
fn split_from_end(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.rsplit(|letter| {
        quoted ^= letter == '"';
        letter == separator && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use ForwardedHeader::{Forwarded, XForwardedFor};

    use super::*;

    fn client(peer: &str, headers: &[(HeaderName, &str)], header: ForwardedHeader) -> String {
        let trusted = ["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        client_address(peer.parse().unwrap(), &map, &trusted, header).to_string()
    }

    #[test]
    fn the_last_address_that_is_not_a_proxy_is_the_client() {
        for (list, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("198.51.100.9, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, 10.0.0.7", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, nonsense", "127.0.0.1"),
            ("192.0.2.1, nonsense, 10.0.0.7", "10.0.0.7"),
            ("", "127.0.0.1"),
            ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
            ("203.0.113.9;x=\", 192.0.2.1", "192.0.2.1"),
        ] {
            // The second header is sent by the client, since its proxy does not write it.
            let headers = [(X_FORWARDED_FOR, list), (FORWARDED, "for=203.0.113.7")];
            assert_eq!(client("127.0.0.1", &headers, XForwardedFor), address, "{list}");
            assert_eq!(client("192.0.2.77", &headers, XForwardedFor), "192.0.2.77", "{list}");
        }
        let two = [(X_FORWARDED_FOR, "203.0.113.5"), (X_FORWARDED_FOR, "192.0.2.1")];
        assert_eq!(client("127.0.0.1", &two, XForwardedFor), "192.0.2.1");
    }

    #[test]
    fn only_a_trusted_proxy_says_that_its_client_speaks_https() {
        let trusted: [IpNet; 1] = ["127.0.0.1/32".parse().unwrap()];
        for (name, value, header, https) in [
            ("x-forwarded-proto", "https", XForwardedFor, true),
            ("x-forwarded-proto", "http, HTTPS", XForwardedFor, true),
            ("x-forwarded-proto", "http", XForwardedFor, false),
            ("x-forwarded-proto", "https", Forwarded, false),
            ("forwarded", "for=192.0.2.1;proto=https", Forwarded, true),
            ("forwarded", "for=192.0.2.1; Proto=\"https\"", Forwarded, true),
            ("forwarded", "for=192.0.2.1;proto=http", Forwarded, false),
            ("forwarded", "proto=https", XForwardedFor, false),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            let from = |peer: &str| is_https(peer.parse().unwrap(), &headers, &trusted, header);
            assert_eq!((from("127.0.0.1"), from("192.0.2.9")), (https, false), "{name}: {value}");
        }
    }

    #[test]
    fn the_standard_header_is_read_if_it_is_configured() {
        for (list, address) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
            ("proto=https ; FOR=192.0.2.43 , for=10.1.2.3", "192.0.2.43"),
            ("for=unknown", "127.0.0.1"),
            ("for=_hidden, for=10.1.2.3", "10.1.2.3"),
            ("host=\"a,b;for=1.2.3.4\";for=192.0.2.1", "192.0.2.1"),
            ("by=192.0.2.1", "127.0.0.1"),
            ("for=203.0.113.9;x=\", for=192.0.2.1", "192.0.2.1"),
        ] {
            let headers = [(FORWARDED, list), (X_FORWARDED_FOR, "203.0.113.99")];
            assert_eq!(client("127.0.0.1", &headers, Forwarded), address, "{list}");
        }
    }
}
