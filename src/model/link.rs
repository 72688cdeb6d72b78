//! A link of a page: its tag, rel values, target and anchor text.

use std::fmt;

use crate::urls::{CanonicalUrl, is_internal};

/// The kind of element, or redirect, of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LinkTag {
    /// An `a` element without an image.
    A = 0,
    /// An `a` element that holds an `img`.
    Aimg = 1,
    Area = 2,
    Iframe = 3,
    Frame = 4,
    Layer = 5,
    Ilayer = 6,
    /// A redirect of the page with this status.
    Redirect301 = 7,
    Redirect302 = 8,
    Redirect303 = 9,
    Redirect307 = 10,
    Redirect308 = 11,
    /// A meta refresh or a `Refresh` header.
    Refresh = 12,
}

stored_code!(pub LinkTag);

impl LinkTag {
    /// All tags, in the order of their stored numbers.
    pub const ALL: [Self; 13] = [
        Self::A,
        Self::Aimg,
        Self::Area,
        Self::Iframe,
        Self::Frame,
        Self::Layer,
        Self::Ilayer,
        Self::Redirect301,
        Self::Redirect302,
        Self::Redirect303,
        Self::Redirect307,
        Self::Redirect308,
        Self::Refresh,
    ];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::Aimg => "aimg",
            Self::Area => "area",
            Self::Iframe => "iframe",
            Self::Frame => "frame",
            Self::Layer => "layer",
            Self::Ilayer => "ilayer",
            Self::Redirect301 => "301",
            Self::Redirect302 => "302",
            Self::Redirect303 => "303",
            Self::Redirect307 => "307",
            Self::Redirect308 => "308",
            Self::Refresh => "refresh",
        }
    }

    /// The tag for an HTTP status that redirects.
    pub fn from_redirect_status(status: u16) -> Option<Self> {
        match status {
            301 => Some(Self::Redirect301),
            302 => Some(Self::Redirect302),
            303 => Some(Self::Redirect303),
            307 => Some(Self::Redirect307),
            308 => Some(Self::Redirect308),
            _ => None,
        }
    }

    /// Whether the link shows an image, and counts as `image` in link types and anchor text types.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Aimg | Self::Area)
    }

    /// Whether the link is a redirect of its page.
    pub fn is_redirect(self) -> bool {
        matches!(
            self,
            Self::Redirect301 | Self::Redirect302 | Self::Redirect303 | Self::Redirect307 | Self::Redirect308
        )
    }
}

impl fmt::Display for LinkTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reasons why a link passes no rank: its `rel` values and the robots directives of its page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rel(u8);

impl Rel {
    pub const NONE: Self = Self(0);
    /// `rel` holds `nofollow`.
    pub const NOFOLLOW: Self = Self(1);
    /// `rel` holds `ugc`.
    pub const UGC: Self = Self(2);
    /// `rel` holds `sponsored`.
    pub const SPONSORED: Self = Self(4);
    /// The page's meta robots or `X-Robots-Tag` says `nofollow` or `none`.
    pub const PAGE_NOFOLLOW: Self = Self(8);

    pub fn bits(self) -> u8 {
        self.0
    }

    /// Unknown bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 15)
    }

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the link counts as nofollow, for any reason.
    pub fn is_nofollow(self) -> bool {
        self.0 != 0
    }

    /// The tokens of a `rel` value, separated by ASCII white space. Commas separate them too: that is not standard,
    /// but common.
    pub fn tokens(value: &str) -> impl Iterator<Item = &str> {
        value.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|token| !token.is_empty())
    }

    /// Parses the value of a `rel` attribute, ignoring ASCII case.
    pub fn from_attribute(value: &str) -> Self {
        Self::tokens(value).fold(Self::NONE, |rel, word| {
            if word.eq_ignore_ascii_case("nofollow") {
                rel.with(Self::NOFOLLOW)
            } else if word.eq_ignore_ascii_case("ugc") {
                rel.with(Self::UGC)
            } else if word.eq_ignore_ascii_case("sponsored") {
                rel.with(Self::SPONSORED)
            } else {
                rel
            }
        })
    }
}

/// A link on a page. Its position is its index in the list of the page, plus one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub target: CanonicalUrl,
    pub tag: LinkTag,
    pub rel: Rel,
    /// Anchor text: collapsed, trimmed, cut to the configured length, with its case kept.
    pub anchor: String,
}

impl Link {
    /// Bytes of the link in the index. An external link is stored with the URL and title of its page.
    pub fn bytes_on(&self, page: &CanonicalUrl, title: &str) -> usize {
        let own = self.target.as_str().len() + self.anchor.len();
        let internal = is_internal(page.host(), self.target.host());
        if internal { own } else { own + page.as_str().len() + title.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_their_stored_codes() {
        let table = [
            (LinkTag::A, 0),
            (LinkTag::Aimg, 1),
            (LinkTag::Area, 2),
            (LinkTag::Iframe, 3),
            (LinkTag::Frame, 4),
            (LinkTag::Layer, 5),
            (LinkTag::Ilayer, 6),
            (LinkTag::Redirect301, 7),
            (LinkTag::Redirect302, 8),
            (LinkTag::Redirect303, 9),
            (LinkTag::Redirect307, 10),
            (LinkTag::Redirect308, 11),
            (LinkTag::Refresh, 12),
        ];
        assert_eq!(table.map(|(tag, _)| tag), LinkTag::ALL);
        for (tag, code) in table {
            assert_eq!((tag.code(), LinkTag::from_code(code)), (code, Some(tag)));
        }
        assert_eq!(LinkTag::from_code(13), None);
        assert_eq!(LinkTag::from_redirect_status(300), None);
        assert_eq!(LinkTag::from_redirect_status(304), None);
    }

    #[test]
    fn rel_values_are_tokens_in_any_case() {
        let both = Rel::NOFOLLOW.with(Rel::UGC);
        for (value, rel) in [
            ("noopener  NoFollow\tUGC", both),
            ("sponsored", Rel::SPONSORED),
            ("nofollow,ugc external", both),
            ("NOFOLLOW,noopener,UGC", both),
            (" ,external ,\n, sponsored,", Rel::SPONSORED),
            ("nofollow;noopener", Rel::NONE),
            ("nofollow\u{a0}ugc", Rel::NONE),
            ("\"nofollow\"", Rel::NONE),
            ("no-follow, ugc-x", Rel::NONE),
            (",", Rel::NONE),
            ("", Rel::NONE),
        ] {
            assert_eq!(Rel::from_attribute(value), rel, "{value:?}");
        }
    }
}
