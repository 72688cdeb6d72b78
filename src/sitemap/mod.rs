//! Sitemaps: the URLs that a site names itself (<https://www.sitemaps.org/protocol.html>).
//!
//! In go the bytes of one file, gzipped or not and in any encoding that it or its server names; out come its entries in
//! the order of the file. Read are `urlset` and `sitemapindex`, RSS 2.0 and 1.0 and Atom feeds, and plain text with one URL a line.
//! Of an entry its address and date of change are kept; alternates, images, priorities and the like are not.
//!
//! * Addresses are given as written, blanks trimmed and references (`&amp;`) resolved; whether they are URLs, and
//!   whether the site may speak for them, is the caller's to judge.
//! * Files are read as a stream. Where one breaks off or is no XML any more, and where a limit is met, what came
//!   before counts and [`Sitemap::is_cut`] says so; an entry that is not whole is left out.
//! * Entities that a document declares are not expanded, so that none can grow.
//!
//! It does not fetch and does not follow an index.

mod date;
mod source;
mod text;
mod xml;

use std::io::BufRead;

use crate::config::SitemapsConfig;
use source::Source;

/// What a sitemap lists.
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
    /// When it changed last, in Unix seconds, if the file tells in a form that can be read.
    pub lastmod: Option<u64>,
}

/// A sitemap, or the part of it that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sitemap {
    pub kind: SitemapKind,
    pub entries: Vec<SitemapEntry>,
    /// Whether there was more that was not read: by a limit, or because the file is broken.
    pub is_cut: bool,
    /// Whether the file itself is broken: it ends within an element, or cannot be read on.
    pub is_broken: bool,
}

/// A file that is no sitemap.
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

/// Reads a sitemap. `truncated` says that the bytes are the beginning of a longer file, `charset` is the label of its
/// encoding in the `Content-Type` header.
///
/// # Errors
/// [`SitemapError`] when nothing in it says that it is one.
pub fn read(
    bytes: &[u8],
    truncated: bool,
    charset: Option<&str>,
    limits: &SitemapsConfig,
) -> Result<Sitemap, SitemapError> {
    let mut source = Source::new(bytes, charset, limits)?;
    let mut sitemap = match first_byte(&mut source.text) {
        Some(b'<') => xml::read(&mut source.text, limits.max_urls)?,
        _ => text::read(&mut source, truncated, limits.max_urls)?,
    };
    let at_limit = truncated || source.is_cut();
    sitemap.is_cut |= at_limit;
    // A file that ends at a limit is not broken for it.
    sitemap.is_broken &= !at_limit;
    Ok(sitemap)
}

/// The first byte that is no blank and no byte order mark, which are consumed; `None` at the end, or where the input
/// cannot be read.
fn first_byte(input: &mut impl BufRead) -> Option<u8> {
    loop {
        let first = *input.fill_buf().ok()?.first()?;
        if !first.is_ascii_whitespace() && ![0xEF, 0xBB, 0xBF].contains(&first) {
            return Some(first);
        }
        input.consume(1);
    }
}
