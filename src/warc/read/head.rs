//! What the header of a record says.

use std::net::IpAddr;

use super::date::parse_date;
use super::error::SkipReason;
use super::fields::parse_fields;
use super::position::RecordPosition;
use crate::warc::Truncation;

/// The kind of a record (WARC 1.1, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// About the file: `warcinfo`, and the version block of an ARC file.
    Info,
    Response,
    Resource,
    Request,
    Metadata,
    Revisit,
    Conversion,
    Continuation,
    /// A kind that the standard does not have.
    Other,
}

impl RecordKind {
    /// The value of the WARC-Type field; empty for other kinds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "warcinfo",
            Self::Response => "response",
            Self::Resource => "resource",
            Self::Request => "request",
            Self::Metadata => "metadata",
            Self::Revisit => "revisit",
            Self::Conversion => "conversion",
            Self::Continuation => "continuation",
            Self::Other => "",
        }
    }

    fn parse(value: &str) -> Self {
        let kinds = [
            Self::Info,
            Self::Response,
            Self::Resource,
            Self::Request,
            Self::Metadata,
            Self::Revisit,
            Self::Conversion,
            Self::Continuation,
        ];
        let is_named = |kind: &Self| value.eq_ignore_ascii_case(kind.as_str());
        kinds.into_iter().find(is_named).unwrap_or(Self::Other)
    }
}

/// The header of a record. A field that is absent or unusable is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    pub kind: RecordKind,
    pub position: RecordPosition,
    /// WARC-Record-ID, without angle brackets.
    pub id: Option<String>,
    /// WARC-Target-URI as written, but without the angle brackets of old writers.
    pub target: Option<String>,
    /// WARC-Date in Unix seconds.
    pub unix_seconds: Option<u64>,
    /// WARC-IP-Address: that of the server.
    pub ip: Option<IpAddr>,
    pub truncation: Option<Truncation>,
    pub content_type: Option<String>,
    /// Content-Length: bytes of the block.
    pub length: u64,
    /// WARC-Profile: why a revisit has no body.
    pub profile: Option<String>,
    /// WARC-Refers-To-Target-URI and WARC-Refers-To-Date: the record that has the body.
    pub refers_to: Option<String>,
    pub refers_to_unix_seconds: Option<u64>,
    /// WARC-Block-Digest: algorithm, colon, and value.
    pub block_digest: Option<String>,
    /// WARC-Payload-Digest, of the same form.
    pub payload_digest: Option<String>,
}

impl RecordHead {
    /// A head without fields.
    pub(super) fn new(kind: RecordKind, position: RecordPosition, length: u64) -> Self {
        Self {
            kind,
            position,
            length,
            id: None,
            target: None,
            unix_seconds: None,
            ip: None,
            truncation: None,
            content_type: None,
            profile: None,
            refers_to: None,
            refers_to_unix_seconds: None,
            block_digest: None,
            payload_digest: None,
        }
    }

    /// Parses the fields behind the version line. The first field of a name counts.
    ///
    /// # Errors
    /// [`SkipReason::Header`] or [`SkipReason::NoLength`].
    pub(super) fn parse(fields: &[u8], position: RecordPosition) -> Result<Self, SkipReason> {
        let (mut head, mut length) = (Self::new(RecordKind::Other, position, 0), None);
        for (name, value) in parse_fields(fields)? {
            let value = value.as_ref();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let number = value.parse().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit()));
                    let number: u64 = number.ok_or(SkipReason::NoLength)?;
                    if *length.get_or_insert(number) != number {
                        return Err(SkipReason::NoLength);
                    }
                }
                "warc-type" => head.kind = RecordKind::parse(value),
                "warc-record-id" => keep(&mut head.id, without_brackets(value)),
                "warc-target-uri" => keep(&mut head.target, without_brackets(value)),
                "warc-date" => head.unix_seconds = parse_date(value),
                "warc-ip-address" => head.ip = value.trim_matches(['[', ']']).parse().ok(),
                "warc-truncated" => head.truncation = Some(Truncation::parse(value)),
                "content-type" => keep(&mut head.content_type, value),
                "warc-profile" => keep(&mut head.profile, value),
                "warc-refers-to-target-uri" => keep(&mut head.refers_to, without_brackets(value)),
                "warc-refers-to-date" => head.refers_to_unix_seconds = parse_date(value),
                "warc-block-digest" => keep(&mut head.block_digest, value),
                "warc-payload-digest" => keep(&mut head.payload_digest, value),
                _ => {}
            }
        }
        head.length = length.ok_or(SkipReason::NoLength)?;
        Ok(head)
    }

    /// Whether the block is an HTTP message (`application/http`). Old writers leave the type out.
    pub fn is_http(&self) -> bool {
        let is_http = |value: &String| {
            value.get(..16).is_some_and(|start| start.eq_ignore_ascii_case("application/http"))
        };
        let is_web = |value: &String| {
            let scheme = value.split(':').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        };
        self.content_type.as_ref().map_or_else(|| self.target.as_ref().is_some_and(is_web), is_http)
    }
}

fn keep(field: &mut Option<String>, value: &str) {
    if field.is_none() && !value.is_empty() {
        *field = Some(value.to_owned());
    }
}

fn without_brackets(value: &str) -> &str {
    value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value)
}
