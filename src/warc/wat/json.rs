//! The JSON of WAT records. Unknown members are ignored. A member that should be text may be a number, a truth value, a
//! list (whose first element counts) or null.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{WatLink, WatMeta};

/// The whole record.
#[derive(Deserialize)]
pub(super) struct WatJson<'a> {
    #[serde(rename = "Envelope", borrow)]
    pub envelope: Option<Envelope<'a>>,
}

/// What is known of the record that this one is about.
#[derive(Default, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(rename = "Payload-Metadata", borrow)]
    pub payload: Option<PayloadMetadata<'a>>,
    #[serde(rename = "WARC-Header-Metadata", borrow)]
    pub warc: Option<SourceHeader<'a>>,
    #[serde(rename = "ARC-Header-Metadata", borrow)]
    pub arc: Option<SourceHeader<'a>>,
}

/// The header of that record.
#[derive(Default, Deserialize)]
pub(super) struct SourceHeader<'a> {
    #[serde(rename = "WARC-Type", borrow)]
    pub kind: Option<WatText<'a>>,
    #[serde(rename = "WARC-Target-URI", alias = "Target-URI", borrow)]
    pub target: Option<WatText<'a>>,
    #[serde(rename = "WARC-Date", alias = "Date", borrow)]
    pub date: Option<WatText<'a>>,
    #[serde(rename = "WARC-IP-Address", alias = "IP-Address", borrow)]
    pub ip: Option<WatText<'a>>,
    #[serde(rename = "WARC-Truncated", borrow)]
    pub truncated: Option<WatText<'a>>,
}

/// Its block.
#[derive(Default, Deserialize)]
pub(super) struct PayloadMetadata<'a> {
    #[serde(rename = "HTTP-Response-Metadata", borrow)]
    pub response: Option<ResponseMetadata<'a>>,
}

/// An HTTP response.
#[derive(Deserialize)]
pub(super) struct ResponseMetadata<'a> {
    #[serde(rename = "Response-Message", borrow)]
    pub message: Option<StatusLine<'a>>,
    #[serde(rename = "Headers", borrow)]
    pub headers: Option<WatHeaders<'a>>,
    #[serde(rename = "HTML-Metadata", borrow)]
    pub html: Option<HtmlMetadata<'a>>,
}

/// A status line.
#[derive(Default, Deserialize)]
pub(super) struct StatusLine<'a> {
    #[serde(rename = "Status", borrow)]
    pub status: Option<WatText<'a>>,
}

/// A document.
#[derive(Deserialize)]
pub(super) struct HtmlMetadata<'a> {
    #[serde(rename = "Head", borrow)]
    pub head: Option<HeadMetadata<'a>>,
    #[serde(rename = "Links", borrow)]
    pub links: Option<Vec<LinkJson<'a>>>,
}

/// Its head.
#[derive(Default, Deserialize)]
pub(super) struct HeadMetadata<'a> {
    #[serde(rename = "Base", borrow)]
    pub base: Option<WatText<'a>>,
    #[serde(rename = "Title", borrow)]
    pub title: Option<WatText<'a>>,
    #[serde(rename = "Metas", borrow)]
    pub metas: Option<Vec<MetaJson<'a>>>,
    #[serde(rename = "Link", borrow)]
    pub links: Option<Vec<LinkJson<'a>>>,
    #[serde(rename = "Scripts", borrow)]
    pub scripts: Option<Vec<LinkJson<'a>>>,
}

/// A `meta` element.
#[derive(Deserialize)]
pub(super) struct MetaJson<'a> {
    #[serde(borrow)]
    name: Option<WatText<'a>>,
    #[serde(rename = "http-equiv", borrow)]
    http_equiv: Option<WatText<'a>>,
    #[serde(borrow)]
    property: Option<WatText<'a>>,
    #[serde(borrow)]
    content: Option<WatText<'a>>,
}

/// A URL with its attributes.
#[derive(Deserialize)]
pub(super) struct LinkJson<'a> {
    #[serde(borrow)]
    path: Option<WatText<'a>>,
    #[serde(alias = "href", borrow)]
    url: Option<WatText<'a>>,
    #[serde(borrow)]
    rel: Option<WatText<'a>>,
    #[serde(borrow)]
    text: Option<WatText<'a>>,
    #[serde(borrow)]
    title: Option<WatText<'a>>,
    #[serde(borrow)]
    alt: Option<WatText<'a>>,
    #[serde(rename = "type", borrow)]
    media_type: Option<WatText<'a>>,
    #[serde(borrow)]
    hreflang: Option<WatText<'a>>,
}

impl<'a> From<MetaJson<'a>> for WatMeta<'a> {
    fn from(meta: MetaJson<'a>) -> Self {
        Self {
            name: meta.name.map(Cow::from),
            http_equiv: meta.http_equiv.map(Cow::from),
            property: meta.property.map(Cow::from),
            content: meta.content.map(Cow::from),
        }
    }
}

impl<'a> From<LinkJson<'a>> for WatLink<'a> {
    fn from(link: LinkJson<'a>) -> Self {
        Self {
            path: link.path.map(Cow::from).unwrap_or_default(),
            url: link.url.map(Cow::from).unwrap_or_default(),
            rel: link.rel.map(Cow::from),
            text: link.text.map(Cow::from),
            title: link.title.map(Cow::from),
            alt: link.alt.map(Cow::from),
            media_type: link.media_type.map(Cow::from),
            hreflang: link.hreflang.map(Cow::from),
        }
    }
}

/// Text, or what other values are as text.
pub(super) struct WatText<'a>(Cow<'a, str>);

impl<'a> From<WatText<'a>> for Cow<'a, str> {
    fn from(text: WatText<'a>) -> Self {
        text.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for WatText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = WatText<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(WatText(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(WatText(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(WatText(Cow::Owned(text)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_string(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_string(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visit_string(number.to_string())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        self.visit_string(truth.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(WatText(Cow::Borrowed("")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or(WatText(Cow::Borrowed(""))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(WatText(Cow::Borrowed("")))
    }
}

/// Header fields. A list holds the values of several fields with the same name.
pub(super) struct WatHeaders<'a>(pub Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for WatHeaders<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = WatHeaders<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("header fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(16);
        while let Some((name, values)) = members.next_entry::<WatText<'de>, WatTexts<'de>>()? {
            fields.extend(values.0.into_iter().map(|value| (name.0.clone(), value.0)));
        }
        Ok(WatHeaders(fields))
    }
}

/// One text, or several.
struct WatTexts<'a>(Vec<WatText<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for WatTexts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = WatTexts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a list of texts")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        TextVisitor.visit_borrowed_str(text).map(|text| WatTexts(vec![text]))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        TextVisitor.visit_str(text).map(|text| WatTexts(vec![text]))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        TextVisitor.visit_u64(number).map(|text| WatTexts(vec![text]))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        TextVisitor.visit_i64(number).map(|text| WatTexts(vec![text]))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        TextVisitor.visit_f64(number).map(|text| WatTexts(vec![text]))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        TextVisitor.visit_bool(truth).map(|text| WatTexts(vec![text]))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(WatTexts(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(WatTexts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        TextVisitor.visit_map(members).map(|_| WatTexts(Vec::new()))
    }
}
