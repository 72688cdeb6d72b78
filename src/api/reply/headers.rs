//! Headers that carry the keys of JSON replies in other formats.

use std::fmt::Write;

use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::api::http::negotiation::Format;
use crate::clock::format_unix_time;
use crate::query::IndexState;
use crate::urls::unicode_host;

/// All characters but the `attr-char`s of RFC 8187.
const NOT_ATTR_CHARS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The bytes of a host that a file name repeats. The whole name stays below the 255 bytes that file systems allow.
const NAMED_HOST_BYTES: usize = 200;

/// The name of the header that names the state of a response.
pub(crate) const AS_OF: &str = "backlinkd-as-of";

/// Forbids caches to store a response.
pub(crate) const NO_STORE: Header = (CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// An extra header of a response.
pub(crate) type Header = (HeaderName, HeaderValue);

/// `X-Total-Count`: the key `count` in JSON.
pub(crate) fn total_count(count: usize) -> Option<Header> {
    Some((HeaderName::from_static("x-total-count"), count.into()))
}

/// `X-Export-Finished`: the key `exportFinished` in JSON.
pub(crate) fn export_finished(finished: Option<bool>) -> Option<Header> {
    let word = if finished? { "true" } else { "false" };
    Some((HeaderName::from_static("x-export-finished"), HeaderValue::from_static(word)))
}

/// `X-Next`: the token that continues an export after its limit.
pub(crate) fn next_token(token: Option<&str>) -> Option<Header> {
    Some((HeaderName::from_static("x-next"), HeaderValue::from_str(token?).ok()?))
}

/// `Backlinkd-As-Of`: the state of the index that a response is of, as `asOf` in JSON.
pub(crate) fn as_of(state: IndexState) -> Option<Header> {
    let value = format!("{}; change={}", format_unix_time(state.read_at), state.change);
    Some((HeaderName::from_static(AS_OF), HeaderValue::from_str(&value).ok()?))
}

/// `X-Warnings`: the key `warnings` in JSON, as a JSON array in ASCII.
pub(crate) fn warnings(warnings: &[String]) -> Option<Header> {
    if warnings.is_empty() {
        return None;
    }
    let json = serde_json::to_string(warnings).ok()?;
    let mut ascii = String::with_capacity(json.len());
    for unit in json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') => ascii.push(char::from(byte)),
            _ => ascii.push_str(&format!("\\u{unit:04x}")),
        }
    }
    Some((HeaderName::from_static("x-warnings"), HeaderValue::from_str(&ascii).ok()?))
}

/// `Content-Disposition` (RFC 6266): the file name of a download. A host in another script has a second name,
/// which clients that support RFC 8187 prefer.
pub(crate) fn content_disposition(format: Format, endpoint: &str, host: &str) -> Option<Header> {
    let extension = format.file_extension()?;
    let unicode = unicode_host(host);
    let name = |host: &str| {
        let letters = host.char_indices().take_while(|(at, _)| *at < NAMED_HOST_BYTES);
        let safe = letters.map(|(_, letter)| if is_safe(letter) { letter } else { '_' });
        format!("{endpoint}-{}.{extension}", safe.collect::<String>())
    };
    let mut value = format!("attachment; filename=\"{}\"", name(host));
    if unicode != host {
        // Writing to a String cannot fail.
        let _ = write!(value, "; filename*=UTF-8''{}", utf8_percent_encode(&name(&unicode), NOT_ATTR_CHARS));
    }
    Some((CONTENT_DISPOSITION, HeaderValue::from_str(&value).ok()?))
}

/// Whether a character is allowed in file names on all systems, and is visible.
fn is_safe(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::{Scope, Suffixes, UrlRules};

    fn file_name(url: &str, format: Format) -> Option<String> {
        let suffixes = Suffixes::built_in().unwrap();
        let scope = Scope::parse(url, None, &UrlRules::default(), &suffixes).unwrap();
        let (_, value) = content_disposition(format, "backlinks", scope.host())?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_file_name_contains_the_endpoint_and_the_host() {
        for (url, name) in [
            ("example.com", "example.com"),
            ("https://www.example.co.uk/a/b?c=d#e", "www.example.co.uk"),
            ("EXAMPLE.com:8080", "example.com"),
            ("http://user:secret@example.com/../../etc/passwd", "example.com"),
            ("[2001:db8::1]", "_2001_db8__1_"),
            ("192.0.2.7", "192.0.2.7"),
            ("http://a\"b;c.example/", ""),
            ("http://a%22%0d%0aset-cookie.example/", ""),
        ] {
            if name.is_empty() {
                let scope = Scope::parse(url, None, &UrlRules::default(), &Suffixes::built_in().unwrap());
                assert!(scope.is_err(), "{url}");
                continue;
            }
            for format in [Format::Csv, Format::Excel] {
                let expected = format!("attachment; filename=\"backlinks-{name}.csv\"");
                assert_eq!(file_name(url, format), Some(expected), "{url}");
            }
            let expected = format!("attachment; filename=\"backlinks-{name}.jsonl\"");
            assert_eq!(file_name(url, Format::JsonLines), Some(expected.clone()), "{url}");
            assert_eq!(file_name(url, Format::NdJson), Some(expected), "{url}");
            assert_eq!(file_name(url, Format::Json), None);
        }
    }

    #[test]
    fn a_host_of_another_script_has_a_second_name() {
        assert_eq!(
            file_name("bücher.example", Format::Excel).unwrap(),
            "attachment; filename=\"backlinks-xn--bcher-kva.example.csv\"; \
             filename*=UTF-8''backlinks-b%C3%BCcher.example.csv"
        );
        assert_eq!(
            file_name("http://日本.example/x", Format::Csv).unwrap(),
            "attachment; filename=\"backlinks-xn--wgv71a.example.csv\"; \
             filename*=UTF-8''backlinks-%E6%97%A5%E6%9C%AC.example.csv"
        );
    }

    #[test]
    fn a_name_fits_a_file_system() {
        let label = "x".repeat(60);
        for host in [format!("{label}.{label}.{label}.example"), format!("{}.example", "日本語".repeat(5))]
        {
            let value = file_name(&host, Format::Excel).unwrap();
            let names = value.split("filename").skip(1);
            for name in names {
                let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap().into_owned();
                assert!(name.len() < 255, "{name}");
            }
        }
    }
}
