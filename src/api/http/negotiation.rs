//! Content negotiation: the format and the coding of a response, by `Accept` and `Accept-Encoding` (RFC 9110, sections
//! 12.5.1 and 12.5.3).
//!
//! Malformed headers count as absent. A preference that cannot be satisfied is ignored, because uncompressed JSON is
//! more useful than an error.

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};
use http::{HeaderMap, HeaderValue};

/// The format of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Json,
    /// RFC 4180, with a line of column names.
    Csv,
    /// As [`Self::Csv`], in a form that spreadsheets display unchanged: see [`crate::api::reply::spreadsheet`].
    /// Available by parameter only.
    Excel,
    /// One JSON object per line.
    JsonLines,
    /// As [`Self::JsonLines`], under its other media type.
    NdJson,
    /// A Parquet file, which is compressed within.
    Parquet,
    /// A stream of Arrow batches (IPC).
    Arrow,
    /// RFC 4287. Available by parameter only.
    Atom,
    /// A file of the web page at `/`, with its media type and charset. Never the format of an endpoint.
    Document(&'static str),
    /// A graph in GEXF 1.2, by parameter only.
    Gexf,
    /// A graph in GraphML 1.0, by parameter only.
    GraphMl,
}

/// The content coding of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentCoding {
    Identity,
    Gzip,
    Zstd,
}

/// The content coding that a client prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AcceptedCoding {
    pub coding: ContentCoding,
    /// Whether the client refuses uncompressed bytes, however few.
    pub identity_refused: bool,
}

/// A quality in thousandths, 0 to 1000.
type Quality = u16;

impl Format {
    /// The formats that `Accept` can ask for. Of equals, the first one is preferred.
    const ACCEPTED: [Self; 6] =
        [Self::Json, Self::Csv, Self::JsonLines, Self::NdJson, Self::Parquet, Self::Arrow];

    const HTML: Self = Self::Document("text/html");

    /// Returns the format that `Accept` asks for.
    pub fn from_accept(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ACCEPT) {
            return Self::Json;
        }
        let ranges: Vec<(String, Quality)> = weighted_elements(headers, &ACCEPT).collect();
        let mut best = (0, 0, Self::Json);
        for format in Self::ACCEPTED {
            let (quality, precision) = format.match_quality(&ranges);
            if quality > 0 && (quality, precision) > (best.0, best.1) {
                best = (quality, precision, format);
            }
        }
        best.2
    }

    /// Returns the quality and the precision of the most precise media range that contains this format.
    fn match_quality(self, ranges: &[(String, Quality)]) -> (Quality, u8) {
        let media_type = self.media_type();
        let precision = |range: &str| match range.strip_suffix("/*") {
            Some("*") => 1,
            Some(kind) if media_type.split('/').next() == Some(kind) => 2,
            None if range == media_type => 3,
            _ => 0,
        };
        let matches = ranges.iter().map(|(range, quality)| (precision(range), *quality));
        let (precision, quality) = matches
            .filter(|(precision, _)| *precision > 0)
            .max_by_key(|(precision, _)| *precision)
            .unwrap_or((0, 0));
        (quality, precision)
    }

    /// The media type without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv | Self::Excel => "text/csv",
            Self::JsonLines => "application/jsonl",
            Self::NdJson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Atom => "application/atom+xml",
            Self::Document(media_type) => media_type,
            Self::Gexf => "application/gexf+xml",
            Self::GraphMl => "application/graphml+xml",
        }
    }

    /// Whether the format is comma-separated values.
    pub fn is_csv(self) -> bool {
        matches!(self, Self::Csv | Self::Excel)
    }

    /// Whether the format is a table of typed columns.
    pub fn is_columnar(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// Returns the coding of a response for a client that prefers this one. Parquet is compressed already.
    pub fn coding(self, preferred: ContentCoding) -> ContentCoding {
        if self == Self::Parquet { ContentCoding::Identity } else { preferred }
    }

    /// The ending of the name under which a download is stored; `None` for a format that is read by programs.
    pub fn file_extension(self) -> Option<&'static str> {
        match self {
            Self::Csv | Self::Excel => Some("csv"),
            Self::JsonLines | Self::NdJson => Some("jsonl"),
            Self::Parquet => Some("parquet"),
            Self::Arrow => Some("arrows"),
            Self::Gexf => Some("gexf"),
            Self::GraphMl => Some("graphml"),
            Self::Json | Self::Atom | Self::Document(_) => None,
        }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Excel => "text/csv; charset=utf-8",
            other => other.media_type(),
        })
    }
}

/// Whether `Accept` prefers HTML to JSON, as browsers do.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let ranges: Vec<(String, Quality)> = weighted_elements(headers, &ACCEPT).collect();
    let html = Format::HTML.match_quality(&ranges);
    html.0 > 0 && html > Format::Json.match_quality(&ranges)
}

impl ContentCoding {
    /// The value of `Content-Encoding`.
    pub fn content_encoding(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }
}

impl AcceptedCoding {
    pub(crate) const NONE: Self = Self { coding: ContentCoding::Identity, identity_refused: false };

    /// Returns the coding that `Accept-Encoding` asks for. Of equals, zstd is preferred, which compresses better in
    /// less time.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ACCEPT_ENCODING) {
            return Self::NONE;
        }
        let codings: Vec<(String, Quality)> = weighted_elements(headers, &ACCEPT_ENCODING).collect();
        let named = |names: &[&str]| {
            codings.iter().find(|(coding, _)| names.contains(&coding.as_str())).map(|(_, quality)| *quality)
        };
        let wildcard = named(&["*"]);
        let gzip = named(&["gzip", "x-gzip"]).or(wildcard).unwrap_or(0);
        let zstd = named(&["zstd"]).or(wildcard).unwrap_or(0);
        let identity = named(&["identity"]);
        let refused = identity.or(wildcard) == Some(0);
        let (coding, quality) =
            if zstd >= gzip { (ContentCoding::Zstd, zstd) } else { (ContentCoding::Gzip, gzip) };
        if quality == 0 || identity.is_some_and(|identity| identity > quality) {
            return Self::NONE;
        }
        Self { coding, identity_refused: refused }
    }
}

/// Parses a list header into its elements, in lower case and without parameters, with their qualities.
fn weighted_elements(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = (String, Quality)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((name, weight.map_or(1_000, parse_quality)))
    })
}

/// Parses a `qvalue` (RFC 9110, section 12.4.2); 0 for anything else.
fn parse_quality(text: &str) -> Quality {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    match (whole, format!("{decimals:0<3}").parse::<Quality>()) {
        ("0", Ok(thousandths)) if digits => thousandths,
        ("1", Ok(0)) if digits => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn chooses_the_preferred_format() {
        for (accept, format) in [
            ("*/*", Format::Json),
            ("text/csv", Format::Csv),
            ("TEXT/CSV; header=present", Format::Csv),
            ("text/*", Format::Csv),
            ("application/*", Format::Json),
            ("application/jsonl", Format::JsonLines),
            ("application/x-ndjson", Format::NdJson),
            ("text/csv;q=0.5, application/json;q=0.4", Format::Csv),
            ("text/csv;q=0.5, application/json", Format::Json),
            ("text/csv, application/json", Format::Json),
            ("text/csv, */*", Format::Csv),
            ("application/json;q=0, */*;q=0.1", Format::Csv),
            ("text/csv;q=0, */*", Format::Json),
            ("application/json, text/plain, */*", Format::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Json),
            ("image/png", Format::Json),
            ("application/vnd.apache.parquet", Format::Parquet),
            ("application/vnd.apache.arrow.stream, */*;q=0.1", Format::Arrow),
            ("text/csv;q=x", Format::Json),
            (",", Format::Json),
        ] {
            assert_eq!(Format::from_accept(&headers(ACCEPT, accept)), format, "{accept}");
        }
        assert_eq!(Format::from_accept(&HeaderMap::new()), Format::Json);
    }

    #[test]
    fn browsers_prefer_html_and_programs_do_not() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html", true),
            ("text/html, application/json;q=0.9", true),
            ("text/html;q=0.5, */*", false),
            ("*/*", false),
            ("application/json, text/plain, */*", false),
            ("text/html, application/json", false),
            ("text/html;q=0", false),
            ("text/csv", false),
            ("", false),
        ] {
            assert_eq!(prefers_html(&headers(ACCEPT, accept)), html, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn chooses_the_preferred_coding() {
        use ContentCoding::{Gzip, Identity, Zstd};
        for (accept, coding, identity_refused) in [
            ("gzip", Gzip, false),
            ("GZip;q=0.001", Gzip, false),
            ("x-gzip", Gzip, false),
            ("gzip, deflate, br, zstd", Zstd, false),
            ("gzip, zstd;q=0.9", Gzip, false),
            ("*", Zstd, false),
            ("zstd;q=0, *", Gzip, false),
            ("br", Identity, false),
            ("", Identity, false),
            ("identity", Identity, false),
            ("gzip;q=0.5, identity", Identity, false),
            ("gzip;q=0.5, identity;q=0.5", Gzip, false),
            ("gzip;q=0", Identity, false),
            ("gzip, identity;q=0", Gzip, true),
            ("zstd, *;q=0", Zstd, true),
            ("*;q=0", Identity, false),
            ("gzip;q=1.001", Identity, false),
            ("gzip;q=0.1234", Identity, false),
        ] {
            let encoding = AcceptedCoding { coding, identity_refused };
            assert_eq!(AcceptedCoding::from_headers(&headers(ACCEPT_ENCODING, accept)), encoding, "{accept}");
        }
        assert_eq!(AcceptedCoding::from_headers(&HeaderMap::new()), AcceptedCoding::NONE);
    }
}
