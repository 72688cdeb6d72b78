//! Sitemaps: the URLs that a site names itself (<https://www.sitemaps.org/protocol.html>).
//!
//! In go the bytes of one file, gzipped or not, whatever type its server gave; out come its entries in the order of
//! the file. Read are `urlset` and `sitemapindex`, RSS 2.0 and 1.0 and Atom feeds, and plain text with one URL a line.
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
mod text;
mod xml;

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::config::SitemapsConfig;

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
    /// Whether it was not read to its end because the file is broken.
    pub is_broken: bool,
}

/// A file that is no sitemap.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SitemapError {
    #[error("its first element is <{0}>; a sitemap has urlset, sitemapindex, rss, RDF or feed there")]
    Root(String),
    #[error("it is neither XML nor a list of URLs")]
    Neither,
}

/// Reads a sitemap. `truncated` tells that the bytes are the beginning of a longer file.
///
/// # Errors
/// [`SitemapError`] when nothing in it says that it is one.
pub fn read(bytes: &[u8], truncated: bool, limits: &SitemapsConfig) -> Result<Sitemap, SitemapError> {
    // One more than the limit, so that reaching it can be told from going beyond.
    let most = limits.max_bytes as u64 + 1;
    let sitemap = if bytes.starts_with(&GZIP) {
        let mut input = BufReader::new(MultiGzDecoder::new(bytes).take(most));
        let sitemap = read_from(&mut input, truncated, limits)?;
        limited(sitemap, input.get_ref().limit() == 0)
    } else {
        let mut input = bytes.take(most);
        let sitemap = read_from(&mut input, truncated, limits)?;
        limited(sitemap, input.limit() == 0)
    };
    Ok(limited(sitemap, truncated))
}

/// A file that ends at a limit is cut, and not broken for it.
fn limited(sitemap: Sitemap, at_limit: bool) -> Sitemap {
    let Sitemap { is_cut, is_broken, .. } = sitemap;
    Sitemap { is_cut: is_cut || at_limit, is_broken: is_broken && !at_limit, ..sitemap }
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

fn read_from(
    input: &mut impl BufRead,
    truncated: bool,
    limits: &SitemapsConfig,
) -> Result<Sitemap, SitemapError> {
    match first_byte(input) {
        Some(b'<') => xml::read(input, limits.max_urls),
        _ => text::read(input, truncated, limits.max_urls),
    }
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
