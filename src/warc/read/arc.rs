//! The headers of ARC records: one line each.
//!
//! Version 1 has five fields: URL, address of the server, date, media type, length. Version 2 has five more before the
//! length: status, checksum, location, offset, file name. The URL may contain blanks, so fields are counted from the
//! end.

use std::net::IpAddr;

use super::date::parse_arc_date;
use super::fields::text;
use super::head::{RecordHead, RecordKind};
use super::position::RecordPosition;

/// The fields of a header that are used.
pub(super) struct ArcLine<'a> {
    url: &'a [u8],
    ip: Option<IpAddr>,
    unix_seconds: Option<u64>,
    length: u64,
    is_http: bool,
}

/// Parses a line without its end; `None` when it is no header.
pub(super) fn parse_line(line: &[u8]) -> Option<ArcLine<'_>> {
    let line = line.trim_ascii();
    let mut from_end = line.rsplitn(11, |byte| *byte == b' ');
    let tokens: Vec<&[u8]> = from_end.by_ref().take(10).collect();
    let length = std::str::from_utf8(tokens.first()?).ok()?;
    let length = length.parse().ok().filter(|_| length.bytes().all(|byte| byte.is_ascii_digit()))?;
    let date_at = [2, 7].into_iter().find(|at| tokens.get(*at).is_some_and(|token| is_date(token)))?;
    let (date, ip) = (tokens[date_at], std::str::from_utf8(tokens.get(date_at + 1)?).ok()?);
    // Whatever precedes the address is the URL.
    let behind: usize = tokens[..=date_at + 1].iter().map(|token| token.len() + 1).sum();
    let url = line.get(..line.len().checked_sub(behind)?)?.trim_ascii();
    let scheme = &url[..url.iter().position(|byte| *byte == b':')?];
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.iter().all(is_scheme) {
        return None;
    }
    let ip: Option<IpAddr> = ip.parse().ok();
    Some(ArcLine {
        url,
        ip: ip.filter(|ip| !ip.is_unspecified()),
        unix_seconds: parse_arc_date(date),
        length,
        is_http: scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https"),
    })
}

fn is_date(token: &[u8]) -> bool {
    matches!(token.len(), 12 | 14) && token.iter().all(u8::is_ascii_digit)
}

impl ArcLine<'_> {
    pub(super) fn head(&self, position: RecordPosition) -> RecordHead {
        let kind = match self.url {
            url if url.starts_with(b"filedesc:") => RecordKind::Info,
            _ if self.is_http => RecordKind::Response,
            _ => RecordKind::Resource,
        };
        let content_type = self.is_http.then(|| "application/http; msgtype=response".to_owned());
        let (target, ip) = (Some(text(self.url).into_owned()), self.ip);
        let head = RecordHead::new(kind, position, self.length);
        RecordHead { target, ip, unix_seconds: self.unix_seconds, content_type, ..head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<(String, Option<String>, Option<u64>, u64)> {
        let line = parse_line(line.as_bytes())?;
        let url = String::from_utf8(line.url.to_vec()).unwrap();
        Some((url, line.ip.map(|ip| ip.to_string()), line.unix_seconds, line.length))
    }

    #[test]
    fn headers_of_both_versions_are_parsed() {
        let fields = |url: &str, ip: Option<&str>| {
            Some((url.to_owned(), ip.map(str::to_owned), Some(1_709_209_815), 17))
        };
        for (line, expected) in [
            (
                "http://a.test/ 1.2.3.4 20240229123015 text/html 17\r",
                fields("http://a.test/", Some("1.2.3.4")),
            ),
            ("http://a.test/b c 0.0.0.0 20240229123015 text/html 17", fields("http://a.test/b c", None)),
            ("dns:a.test 1.2.3.4 20240229123015 text/dns 17", fields("dns:a.test", Some("1.2.3.4"))),
            (
                "http://a.test/ 1.2.3.4 20240229123015 text/html 200 ab - 0 f.arc 17",
                fields("http://a.test/", Some("1.2.3.4")),
            ),
            ("http://a.test/ 1.2.3.4 20240229123015 text/html", None),
            ("http://a.test/ 1.2.3.4 2024022912301 text/html 17", None),
            ("a.test/ 1.2.3.4 20240229123015 text/html 17", None),
            ("http://a.test/ 1.2.3.4 20240229123015 text/html +17", None),
            ("20240229123015 text/html 17", None),
            ("1.2.3.4 20240229123015 text/html 17", None),
            ("", None),
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
    }
}
