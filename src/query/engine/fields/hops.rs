//! Hops: the URLs of redirect chains.

use super::{Field, Read, RowType, field};
use crate::model::LinkTag;
use crate::urls::CanonicalUrl;

/// A URL of a redirect chain.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The first URL of the chain.
    pub start: CanonicalUrl,
    /// The position in the chain, from 1.
    pub number: u32,
    pub url: CanonicalUrl,
    /// HTTP status of the last response; 0 when there was none.
    pub status: u16,
    /// How the URL redirects, if it does.
    pub tag: Option<LinkTag>,
    /// Why the chain ends here, if it does.
    pub end: Option<ChainEnd>,
}

/// Why a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainEnd {
    /// The URL does not redirect.
    Reached,
    /// The response of the URL is unknown: it was never visited or never responded.
    Unknown,
    /// The URL occurs earlier in the chain.
    Loop,
    /// The URL redirects, but the chain has the maximum number of redirects.
    TooLong,
}

impl ChainEnd {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Unknown => "unknown",
            Self::Loop => "loop",
            Self::TooLong => "too_long",
        }
    }
}

/// Rows of [`Hop`].
pub(crate) struct Hops;

impl RowType for Hops {
    type Row<'a> = Hop;
}

/// The fields of a hop. `tag` and `end` are empty when there is none.
pub(crate) static HOP_FIELDS: &[Field<Hops>] = &[
    field("start", Read::Text(|hop, _| hop.start.as_str())),
    field("hop", Read::Number(|hop| hop.number)),
    field("url", Read::Text(|hop, _| hop.url.as_str())),
    field("code", Read::Number(|hop| u32::from(hop.status))),
    field("tag", Read::Text(|hop, _| hop.tag.map_or("", LinkTag::as_str))),
    field("end", Read::Text(|hop, _| hop.end.map_or("", ChainEnd::as_str))),
];
