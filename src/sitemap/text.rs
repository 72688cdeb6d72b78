//! Plain text sitemaps: one URL a line.

use std::io::BufRead;

use super::{Sitemap, SitemapEntry, SitemapError, SitemapKind};

/// Reads up to `most` URLs. Lines that do not begin as one are passed over.
///
/// # Errors
/// [`SitemapError::Neither`] when there is no URL at all: it is some other text then.
pub(super) fn read(input: &mut impl BufRead, truncated: bool, most: usize) -> Result<Sitemap, SitemapError> {
    let (mut entries, mut line) = (Vec::new(), Vec::new());
    let (mut is_cut, mut is_broken) = (false, false);
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => {
                (is_cut, is_broken) = (true, true);
                break;
            }
        }
        // Of a file that was cut, the last line may be a part of one.
        let is_whole = !truncated || line.ends_with(b"\n");
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

fn url_in(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let begins =
        |scheme: &str| line.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (begins("http://") || begins("https://")).then_some(line)
}
