//! WARC records: named fields, a block, and their encoding.

use std::io::Write;

use data_encoding::BASE32;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header;
use http::{StatusCode, Version};
use sha1::{Digest, Sha1};
use time::UtcDateTime;

use super::{HttpExchange, WarcError, WarcOptions};

const NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// A record that is ready to be written.
pub(super) struct Record<'a> {
    id: String,
    /// Name and value.
    fields: Vec<(&'static str, String)>,
    /// The block: an HTTP head or the fields of a warcinfo, and a body.
    head: Vec<u8>,
    body: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first record of a file.
    pub(super) fn info(file_name: &str, options: &WarcOptions) -> Result<Self, WarcError> {
        let mut head = String::new();
        let mut add = |name: &str, value: &str| {
            // A line break would end the field.
            let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            if !value.is_empty() {
                head += &format!("{name}: {value}\r\n");
            }
        };
        add("software", &options.software);
        add("operator", &options.operator);
        add("format", "WARC File Format 1.1");
        add("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/");
        add("robots", "obeyed (RFC 9309)");
        let mut record = Self::new("warcinfo", UtcDateTime::now(), head.into_bytes(), &[])?;
        record.field("WARC-Filename", file_name);
        record.field("Content-Type", "application/warc-fields");
        Ok(record)
    }

    /// The request of an exchange whose response record has the id `response`.
    pub(super) fn request(
        exchange: &HttpExchange<'a>,
        info: &str,
        response: &str,
    ) -> Result<Self, WarcError> {
        let mut head = format!("GET {} HTTP/1.1\r\n", exchange.url.path_and_query()).into_bytes();
        for (name, value) in exchange.request_headers {
            push_header(&mut head, name.as_str(), value.as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        let mut record = Self::new("request", time_of(exchange), head, &[])?;
        record.add_exchange_fields(exchange, info);
        record.field("WARC-Concurrent-To", response);
        record.field("Content-Type", "application/http; msgtype=request");
        Ok(record)
    }

    /// The response of an exchange.
    pub(super) fn response(exchange: &HttpExchange<'a>, info: &str) -> Result<Self, WarcError> {
        let is_revisit = exchange.status == 304;
        let kind = if is_revisit { "revisit" } else { "response" };
        let mut record = Self::new(kind, time_of(exchange), response_head(exchange), exchange.body)?;
        record.add_exchange_fields(exchange, info);
        if is_revisit {
            record.field("WARC-Profile", NOT_MODIFIED);
        } else {
            record.field("WARC-Payload-Digest", &digest(&[exchange.body]));
        }
        if let Some(truncation) = exchange.truncation {
            record.field("WARC-Truncated", truncation.as_str());
        }
        if exchange.version == Version::HTTP_2 {
            record.field("WARC-Protocol", "h2");
        }
        record.field("Content-Type", "application/http; msgtype=response");
        Ok(record)
    }

    fn new(kind: &str, time: UtcDateTime, head: Vec<u8>, body: &'a [u8]) -> Result<Self, WarcError> {
        let id = random_id()?;
        let fields = vec![
            ("WARC-Type", kind.to_owned()),
            ("WARC-Record-ID", id.clone()),
            ("WARC-Date", iso_8601(time)),
            ("WARC-Block-Digest", digest(&[&head, body])),
        ];
        Ok(Self { id, fields, head, body })
    }

    /// The fields that request and response have in common.
    fn add_exchange_fields(&mut self, exchange: &HttpExchange<'_>, info: &str) {
        self.field("WARC-Target-URI", exchange.url.as_str());
        self.field("WARC-IP-Address", &exchange.ip.to_string());
        self.field("WARC-Warcinfo-ID", info);
    }

    fn field(&mut self, name: &'static str, value: &str) {
        self.fields.push((name, value.to_owned()));
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Appends the record as one gzip member.
    ///
    /// # Errors
    /// [`WarcError`] when it cannot be compressed.
    pub(super) fn compress_into(&self, out: &mut Vec<u8>) -> Result<(), WarcError> {
        let mut gzip = GzEncoder::new(out, Compression::default());
        let mut write = || {
            gzip.write_all(b"WARC/1.1\r\n")?;
            for (name, value) in &self.fields {
                write!(gzip, "{name}: {value}\r\n")?;
            }
            write!(gzip, "Content-Length: {}\r\n\r\n", self.head.len() + self.body.len())?;
            gzip.write_all(&self.head)?;
            gzip.write_all(self.body)?;
            gzip.write_all(b"\r\n\r\n")?;
            gzip.try_finish()
        };
        write().map_err(WarcError::Compress)
    }
}

/// The status line and headers of a response, adjusted to the stored body.
fn response_head(exchange: &HttpExchange<'_>) -> Vec<u8> {
    let version = if exchange.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let reason = StatusCode::from_u16(exchange.status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("{version} {} {}\r\n", exchange.status, reason.unwrap_or_default()).into_bytes();
    let length = exchange.body.len().to_string();
    for (name, value) in exchange.headers {
        let is_other_length = *name == header::CONTENT_LENGTH && value.as_bytes() != length.as_bytes();
        // For a 304, the length is that of the page, which was not sent.
        if *name == header::TRANSFER_ENCODING || (is_other_length && exchange.status != 304) {
            push_header(&mut head, &format!("x-crawler-{name}"), value.as_bytes());
        } else if *name != header::CONTENT_LENGTH || exchange.status == 304 {
            push_header(&mut head, name.as_str(), value.as_bytes());
        }
    }
    if exchange.status != 304 {
        push_header(&mut head, header::CONTENT_LENGTH.as_str(), length.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn push_header(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
}

/// `sha1:` and the digest in base 32, as in other archives.
fn digest(parts: &[&[u8]]) -> String {
    let mut sha1 = Sha1::new();
    parts.iter().for_each(|part| sha1.update(part));
    format!("sha1:{}", BASE32.encode(&sha1.finalize()))
}

/// A random UUID (RFC 9562, version 4).
fn random_id() -> Result<String, WarcError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(WarcError::Random)?;
    let random = (u128::from_be_bytes(bytes) & !(0xf << 76) | 4 << 76) & !(3 << 62) | 2 << 62;
    let hex = format!("{random:032x}");
    let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(format!("<urn:uuid:{a}-{b}-{c}-{d}-{e}>"))
}

fn time_of(exchange: &HttpExchange<'_>) -> UtcDateTime {
    let seconds = i64::try_from(exchange.unix_seconds).unwrap_or(0);
    UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::UNIX_EPOCH)
}

/// `2024-02-29T12:30:15Z`
fn iso_8601(time: UtcDateTime) -> String {
    let (hour, minute, second) = time.as_hms();
    let month = u8::from(time.month());
    format!("{:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", time.year(), time.day())
}
