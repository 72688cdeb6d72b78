//! Plain text sitemaps, with one URL per line.

use std::io::{self, BufRead};

use super::source::SitemapReader;
use super::{Sitemap, SitemapEntry, SitemapError, SitemapKind};

/// Reads up to `most` URLs. Other lines are skipped.
///
/// # Errors
/// [`SitemapError::Neither`] when there is no URL at all, so the file is another kind of text.
/// [`SitemapError::Broken`] when it cannot be read up to its first URL.
pub(super) fn read(
    source: &mut SitemapReader<'_>,
    truncated: bool,
    most: usize,
) -> Result<Sitemap, SitemapError> {
    let (mut entries, mut line) = (Vec::new(), Vec::new());
    let (mut is_cut, mut is_broken) = (false, false);
    loop {
        line.clear();
        let is_ended = match read_line(&mut source.text, &mut line) {
            Ok(is_ended) => is_ended,
            Err(error) if entries.is_empty() => return Err(SitemapError::Broken(error.to_string())),
            Err(_) => {
                (is_cut, is_broken) = (true, true);
                break;
            }
        };
        if line.is_empty() && !is_ended {
            break;
        }
        // The last line of a truncated file may be incomplete.
        let is_whole = is_ended || !(truncated || source.is_cut());
        let Some(loc) = url_in(&line).filter(|_| is_whole) else { continue };
        if entries.len() == most {
            is_cut = true;
            break;
        }
        entries.push(SitemapEntry { loc: loc.to_owned(), lastmod: None });
    }
    if entries.is_empty() && !is_cut {
        return Err(SitemapError::Neither);
    }
    Ok(Sitemap { kind: SitemapKind::Urls, entries, is_cut, is_broken })
}

/// Reads a line without its end, which is CR or LF. Returns whether it has one.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let piece = input.fill_buf()?;
        let end = memchr::memchr2(b'\n', b'\r', piece);
        let length = end.unwrap_or(piece.len());
        line.extend_from_slice(&piece[..length]);
        let is_last = piece.is_empty();
        input.consume(length + usize::from(end.is_some()));
        if end.is_some() || is_last {
            return Ok(end.is_some());
        }
    }
}

fn url_in(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let begins =
        |scheme: &str| line.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (begins("http://") || begins("https://")).then_some(line)
}
