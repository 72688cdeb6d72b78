//! Sitemaps: URLs that a site publishes itself (<https://www.sitemaps.org/protocol.html>).
//!
//! The input is the bytes of a file, possibly gzipped, in any encoding that the file or its server declares. The
//! output is its entries in the order of the file. Supported are `urlset` and `sitemapindex`, RSS 2.0 and 1.0 and
//! Atom feeds, and plain text with one URL per line. An entry has its address and modification date; alternates,
//! images, priorities and the like are ignored.
//!
//! * Addresses are returned as written, trimmed and with references (`&amp;`) resolved. The caller checks whether
//!   they are URLs, and whether the site may list them.
//! * Files are read as a stream. Where a file breaks off, stops being XML or exceeds a limit, the entries so far are
//!   returned and [`Sitemap::is_cut`] is set. A partial entry is left out.
//! * Entities declared by a document are not expanded, so that none can grow.
//!
//! This module does not fetch, and does not follow an index.

mod date;
mod source;
mod text;
mod xml;

use std::io::BufRead;

use crate::config::SitemapsConfig;
use source::SitemapReader;

/// The kind of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SitemapKind {
    /// Pages.
    Urls,
    /// Further sitemaps.
    Index,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapEntry {
    /// As written: absolute by the protocol, relative by mistake.
    pub loc: String,
    /// Time of the last modification, in Unix seconds, if the file has a valid one.
    pub lastmod: Option<u64>,
}

/// A sitemap, or its readable part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sitemap {
    pub kind: SitemapKind,
    pub entries: Vec<SitemapEntry>,
    /// Whether a part was not read: beyond a limit, or because the file is broken.
    pub is_cut: bool,
    /// Whether the file itself is broken: it ends within an element, or has a syntax error.
    pub is_broken: bool,
}

/// A file that is not a sitemap.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SitemapError {
    #[error("its first element is <{0}>; a sitemap has urlset, sitemapindex, rss, RDF or feed there")]
    Root(String),
    #[error("it is neither XML nor a list of URLs")]
    Neither,
    #[error("it breaks off before it lists anything ({0})")]
    Broken(String),
    #[error("it was compressed more than {0} times (sitemaps.max_gzip_layers)")]
    Layers(u32),
}

/// Reads a sitemap. `truncated` means that the bytes are the start of a longer file. `charset` is the label in the
/// `Content-Type` header.
///
/// # Errors
/// [`SitemapError`] when the content is not that of a sitemap.
pub fn read(
    bytes: &[u8],
    truncated: bool,
    charset: Option<&str>,
    limits: &SitemapsConfig,
) -> Result<Sitemap, SitemapError> {
    let mut source = SitemapReader::new(bytes, charset, limits)?;
    let mut sitemap = match first_byte(&mut source.text) {
        Some(b'<') => xml::read(&mut source.text, limits.max_urls)?,
        _ => text::read(&mut source, truncated, limits.max_urls)?,
    };
    let at_limit = truncated || source.is_cut();
    sitemap.is_cut |= at_limit;
    // A file that ends at a limit is not broken.
    sitemap.is_broken &= !at_limit;
    Ok(sitemap)
}

/// Skips blanks and a byte order mark, and returns the next byte; `None` at the end or after a read error.
fn first_byte(input: &mut impl BufRead) -> Option<u8> {
    loop {
        let first = *input.fill_buf().ok()?.first()?;
        if !first.is_ascii_whitespace() && ![0xEF, 0xBB, 0xBF].contains(&first) {
            return Some(first);
        }
        input.consume(1);
    }
}
