//! Where a URL leads in the end: the redirects from page to page, as the last visits found them.
//!
//! A page leads on by the redirect it last answered with, or, when it answered with success, by its first refresh.
//! A canonical link names another URL but moves nobody, so it is not followed. A page whose last visit failed leads
//! where its last answer led.

use super::field::{Family, Field, Read, field};
use super::table::TableBuilder;
use super::{QueryError, Scan, Table};
use crate::model::{LinkTag, OutlinkRecord};
use crate::urls::{CanonicalUrl, Scope};

/// A URL on the way.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The URL that the chain begins with.
    pub start: CanonicalUrl,
    /// Which URL of the chain this is, from 1.
    pub number: u32,
    pub url: CanonicalUrl,
    /// HTTP status of the last answer; 0 when there was none.
    pub status: u16,
    /// How the URL leads on, if it does.
    pub tag: Option<LinkTag>,
    /// Why the chain ends here, if it does.
    pub end: Option<ChainEnd>,
}

/// Why a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainEnd {
    /// The URL leads nowhere else.
    Reached,
    /// Nothing is known of what the URL answers: it was never visited, or never answered.
    Unknown,
    /// The chain has been here before.
    Loop,
    /// The URL leads on, but as many redirects as are followed lie behind.
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

/// URLs on the way.
pub struct Hops;

impl Family for Hops {
    type Row<'a> = Hop;
}

/// The fields of a URL on the way. `tag` and `end` are empty where there is none.
pub static HOP_FIELDS: &[Field<Hops>] = &[
    field("start", Read::Text(|hop, _| hop.start.as_str())),
    field("hop", Read::Number(|hop| hop.number)),
    field("url", Read::Text(|hop, _| hop.url.as_str())),
    field("code", Read::Number(|hop| u32::from(hop.status))),
    field("tag", Read::Text(|hop, _| hop.tag.map_or("", LinkTag::as_str))),
    field("end", Read::Text(|hop, _| hop.end.map_or("", ChainEnd::as_str))),
];

impl Scan<'_> {
    /// The chain from the scope's URL, hop by hop, over at most `most` redirects. A URL without
    /// a scheme has a chain under http, then one under https, of which those count that were visited; when neither
    /// was, the first.
    ///
    /// # Errors
    /// What the store or the deadline reports; [`QueryError::Declaration`] for a scope that is no URL.
    pub fn redirect_chains(&self, most: usize) -> Result<Table, QueryError> {
        let Scope::Url { url, also } = &self.selection.scope else {
            return Err(QueryError::Declaration("a chain from what is no URL".to_owned()));
        };
        let mut chains = vec![self.chain(url, most)?];
        if let Some(also) = also {
            chains.push(self.chain(also, most)?);
            let known = |chain: &Vec<Hop>| chain.first().is_some_and(|hop| hop.status != 0);
            if chains.iter().any(known) {
                chains.retain(known);
            } else {
                chains.truncate(1);
            }
        }
        let hops: Vec<Hop> = chains.into_iter().flatten().collect();
        TableBuilder::of(HOP_FIELDS, &hops, self.suffixes, self.deadline)
    }

    fn chain(&self, start: &CanonicalUrl, most: usize) -> Result<Vec<Hop>, QueryError> {
        let mut hops: Vec<Hop> = Vec::new();
        let mut next = Some(start.clone());
        while let Some(url) = next {
            self.deadline.check()?;
            let (status, onward) = self.last_answer(&url)?;
            let end = if status == 0 {
                Some(ChainEnd::Unknown)
            } else if hops.iter().any(|hop| hop.url == url) {
                Some(ChainEnd::Loop)
            } else if onward.is_none() {
                Some(ChainEnd::Reached)
            } else if hops.len() >= most {
                Some(ChainEnd::TooLong)
            } else {
                None
            };
            let (tag, target) = onward.map(|link| (link.tag, link.target)).unzip();
            let number = u32::try_from(hops.len() + 1).map_err(|_| QueryError::TooManyRows)?;
            hops.push(Hop { start: start.clone(), number, url, status, tag, end });
            next = target.filter(|_| end.is_none());
        }
        Ok(hops)
    }

    /// The status that a URL last answered with, 0 for none, and the link by which it leads on.
    fn last_answer(&self, url: &CanonicalUrl) -> Result<(u16, Option<OutlinkRecord>), QueryError> {
        let Some(page) = self.snapshot.page(url)? else { return Ok((0, None)) };
        let tag = match page.status {
            200..=299 => Some(LinkTag::Refresh),
            status => LinkTag::from_redirect_status(status),
        };
        let Some(tag) = tag else { return Ok((page.status, None)) };
        let links = self.snapshot.outlinks(url)?;
        Ok((page.status, links.into_iter().find(|link| link.is_active() && link.tag == tag)))
    }
}
