//! The fingerprint by which a URL is remembered as seen: 64 bits.
//!
//! **Fingerprints are stored.** The seen set on disk holds these numbers and nothing else of a URL. If a
//! function here changes its result, every stored URL counts as new, and no error is reported. Such a change requires
//! raising `store::FORMAT`. A test pins the values.

use xxhash_rust::xxh3::xxh3_64;

use super::{CanonicalUrl, Surt};

/// A fingerprint that ignores the order of the query parameters. The order of parameters with equal names counts,
/// because it may matter to a server. `None` if the URL has fewer than two parameters.
///
/// XXH3-64 of the URL with its parameters sorted by name.
pub fn permutation_fingerprint(url: &CanonicalUrl) -> Option<u64> {
    let (_, query) = url.path_and_query().split_once('?')?;
    let mut parameters: Vec<&str> = query.split('&').collect();
    if parameters.len() < 2 {
        return None;
    }
    parameters.sort_by_key(|parameter| name_of(parameter));
    let before_query = url.as_str().len() - query.len();
    let sorted = format!("{}{}", &url.as_str()[..before_query], parameters.join("&"));
    Some(xxh3_64(sorted.as_bytes()))
}

fn name_of(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}

/// The fingerprint of a URL, given with its SURT: [`permutation_fingerprint`], or else XXH3-64 of the SURT.
pub fn url_fingerprint(url: &CanonicalUrl, surt: &[u8]) -> u64 {
    permutation_fingerprint(url).unwrap_or_else(|| xxh3_64(surt))
}

/// The same fingerprint, from the SURT alone.
pub fn surt_fingerprint(surt: &[u8]) -> u64 {
    let has_parameters = surt.contains(&b'&');
    let url = if has_parameters { Surt::bytes_to_url(surt).ok() } else { None };
    url.map_or_else(|| xxh3_64(surt), |url| url_fingerprint(&url, surt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::UrlRules;

    /// These numbers are stored in data directories. If this test fails, restore the function or raise `FORMAT`.
    #[test]
    fn stored_fingerprints_do_not_change() {
        for (url, fingerprint) in [
            ("http://a.test/", 0x541e_7cd5_0e41_7b86),
            ("https://www.a.test:8443/x?y=1", 0x666d_837f_9275_dc63),
            ("http://a.test/p?a=1&b=2&c=3", 0xb373_80ff_2587_4057),
            ("http://a.test/p?c=3&a=1&b=2", 0xb373_80ff_2587_4057),
            ("http://a.test/p?b=1&a=2&b=0", 0x545a_a6f1_8615_6906),
            ("http://a.test/p?b=0&a=2&b=1", 0xc49f_e671_65f6_d47a),
        ] {
            let url = UrlRules::default().canonical(url).unwrap();
            let surt = Surt::from(&url);
            assert_eq!(url_fingerprint(&url, surt.as_bytes()), fingerprint, "{url}");
            assert_eq!(surt_fingerprint(surt.as_bytes()), fingerprint, "{url}");
        }
    }
}
