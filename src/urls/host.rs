//! The host in the text of a canonical URL, and the names that a host may have.

/// A host for display: punycode labels are decoded where they are valid, and an address stays as it is.
pub fn unicode_host(host: &str) -> String {
    let unicode = url::quirks::domain_to_unicode(host);
    let is_valid = !unicode.is_empty() && !unicode.contains(char::REPLACEMENT_CHARACTER);
    if is_valid { unicode } else { host.to_owned() }
}

/// A canonical URL without its scheme.
pub fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url)
}

/// The host of a canonical URL; an IPv6 address keeps its brackets.
pub fn host_of(url: &str) -> &str {
    let authority = authority_of(without_scheme(url));
    let end = if authority.starts_with('[') {
        authority.find(']').map_or(authority.len(), |at| at + 1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    &authority[..end]
}

/// The host and the port of a canonical URL without its scheme.
pub(super) fn authority_of(rest: &str) -> &str {
    &rest[..rest.find('/').unwrap_or(rest.len())]
}

/// Whether resolvers accept a host name: labels of 1 to 63 bytes, 253 bytes in all (RFC 1035). An IPv6 address in
/// brackets counts as one.
pub(super) fn is_resolvable(host: &str) -> bool {
    if host.starts_with('[') {
        return true;
    }
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    host.len() <= 253 && host.as_bytes().split(|&b| b == b'.').all(is_label)
}
