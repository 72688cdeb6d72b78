//! WAT: what a tool found in the responses of an archive, as JSON in `metadata` records (Internet Archive, Web Archive
//! Transformation; <https://commoncrawl.org/get-started>).
//!
//! The input is the block of a record with Content-Type `application/json`; the output is a page with its links, as the
//! tool wrote them: URLs are not resolved, and texts of links end after 128 characters. Texts are borrowed from the block
//! unless they have escapes.

mod json;

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use memchr::memmem;

use super::Truncation;
use super::read::parse_date;
use json::{Envelope, HtmlMetadata, WatJson, WatText};

/// A response, and what was found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatPage<'a> {
    pub url: Cow<'a, str>,
    /// Unix seconds of the response.
    pub unix_seconds: Option<u64>,
    /// The address of the server.
    pub ip: Option<IpAddr>,
    pub truncation: Option<Truncation>,
    /// The record is a revisit: the links are those of another record, if any.
    pub is_revisit: bool,
    pub status: u16,
    /// Names and values, as sent.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// `None` when the tool found no HTML.
    pub html: Option<WatHtml<'a>>,
}

/// What was found in an HTML document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatHtml<'a> {
    /// The first `base` element's `href`.
    pub base: Option<Cow<'a, str>>,
    pub title: Option<Cow<'a, str>>,
    pub metas: Vec<WatMeta<'a>>,
    /// `link` elements, then scripts, then all others; each group in the order of the document.
    pub links: Vec<WatLink<'a>>,
}

/// A `meta` element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatMeta<'a> {
    pub name: Option<Cow<'a, str>>,
    pub http_equiv: Option<Cow<'a, str>>,
    pub property: Option<Cow<'a, str>>,
    pub content: Option<Cow<'a, str>>,
}

/// A URL in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatLink<'a> {
    /// Element and attribute: `A@/href`, `IMG@/src`, `FORM@/action`.
    pub path: Cow<'a, str>,
    pub url: Cow<'a, str>,
    pub rel: Option<Cow<'a, str>>,
    /// The text of an `a` element.
    pub text: Option<Cow<'a, str>>,
    pub title: Option<Cow<'a, str>>,
    /// The alternative text of an image.
    pub alt: Option<Cow<'a, str>>,
    /// The attribute `type`.
    pub media_type: Option<Cow<'a, str>>,
    pub hreflang: Option<Cow<'a, str>>,
}

/// The block is no metadata of WAT.
#[derive(Debug, thiserror::Error)]
#[error("the record holds no WAT metadata: {0}")]
pub struct WatError(#[from] serde_json::Error);

impl WatLink<'_> {
    /// The name of the element, in upper case.
    pub fn element(&self) -> &str {
        self.path.split('@').next().unwrap_or_default()
    }

    /// The name of the attribute.
    pub fn attribute(&self) -> &str {
        self.path.rsplit_once("@/").map_or("", |(_, attribute)| attribute)
    }
}

impl<'a> WatPage<'a> {
    /// Parses the block of a metadata record; `None` when it is about something else than an HTTP response. Lone
    /// surrogates are errors: [`mend_surrogates`] replaces them.
    ///
    /// # Errors
    /// [`WatError`] when the block is not JSON, or not of this form.
    pub fn parse(block: &'a [u8]) -> Result<Option<Self>, WatError> {
        let WatJson { envelope } = serde_json::from_slice(block)?;
        let Envelope { payload, warc, arc } = envelope.unwrap_or_default();
        let Some(response) = payload.unwrap_or_default().response else { return Ok(None) };
        let is_arc = warc.is_none();
        let header = warc.or(arc).unwrap_or_default();
        let kind = header.kind.map(Cow::from);
        let is_revisit = kind.as_ref().is_some_and(|kind| kind.eq_ignore_ascii_case("revisit"));
        let is_response =
            is_revisit || is_arc || kind.is_some_and(|kind| kind.eq_ignore_ascii_case("response"));
        let Some(url) = header.target.filter(|_| is_response).map(Cow::from) else { return Ok(None) };
        let message = response.message.unwrap_or_default();
        let text = |field: Option<WatText<'a>>| field.map(Cow::from);
        Ok(Some(Self {
            url,
            unix_seconds: text(header.date).and_then(|date| parse_date(&date)),
            ip: text(header.ip).and_then(|ip| ip.trim().parse().ok()),
            truncation: text(header.truncated).map(|value| Truncation::parse(&value)),
            is_revisit,
            status: text(message.status).and_then(|status| status.trim().parse().ok()).unwrap_or(0),
            headers: response.headers.map(|headers| headers.0).unwrap_or_default(),
            html: response.html.map(WatHtml::from),
        }))
    }
}

impl<'a> From<HtmlMetadata<'a>> for WatHtml<'a> {
    fn from(HtmlMetadata { head, links }: HtmlMetadata<'a>) -> Self {
        let head = head.unwrap_or_default();
        let groups = [head.links, head.scripts, links].into_iter().flatten();
        let links: Vec<WatLink<'a>> = groups.flatten().map(WatLink::from).collect();
        Self {
            base: head.base.map(Cow::from),
            title: head.title.map(Cow::from),
            metas: head.metas.unwrap_or_default().into_iter().map(WatMeta::from).collect(),
            links,
        }
    }
}

/// Replaces the escapes of lone surrogates, which are halves of characters at the end of shortened texts, by U+FFFD.
pub fn mend_surrogates(block: Bytes) -> Bytes {
    let is_suspect = |escape: &[u8]| memmem::find(&block, escape).is_some();
    if !is_suspect(b"\\ud") && !is_suspect(b"\\uD") {
        return block;
    }
    let mut mended = block.to_vec();
    let mut at = 0;
    while let Some(backslash) = memchr::memchr(b'\\', &mended[at..]) {
        at += backslash;
        let (unit, next) = (code_unit(&mended[at..]), mended.get(at + 6..).and_then(code_unit));
        at += match (unit, next) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                mended[at + 2..at + 6].copy_from_slice(b"fffd");
                6
            }
            (Some(_), _) => 6,
            (None, _) => 2.min(mended.len() - at),
        };
    }
    mended.into()
}

/// The code unit of the escape `\uXXXX` at the beginning.
fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    u16::from_str_radix(digits?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_replaced() {
        let mended =
            |text: &str| String::from_utf8(mend_surrogates(text.to_owned().into()).to_vec()).unwrap();
        for (text, expected) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uD83D""#, r#""\ufffd""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\ud83d\u0041\ud83"#, r#""\ufffd\u0041\ud83"#),
            (r"\ud83d\", r"\ufffd\"),
        ] {
            assert_eq!(mended(text), expected);
        }
    }

    #[test]
    fn links_name_their_element_and_attribute() {
        let link = |path: &'static str| WatLink { path: path.into(), ..WatLink::default() };
        let a = link("A@/href");
        assert_eq!((a.element(), a.attribute()), ("A", "href"));
        let odd = link("__ALL__");
        assert_eq!((odd.element(), odd.attribute()), ("__ALL__", ""));
    }
}
