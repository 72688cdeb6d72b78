//! Seed files: the URLs that a crawl starts with.
//!
//! A file has one URL or bare host per line, in the format of [`super::list_line`]. A line without a scheme is read as
//! http: servers that speak https redirect a crawler, and the others would not answer https at all.
//!
//! A bad line does not stop the reading: it is returned with its number and the reason.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::list_line::{WordError, strip_bom, word_of_line};
use crate::urls::{CanonicalUrl, TypedUrlError, UrlRules};

/// A line of a seed file without a URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {number}: {reason}")]
pub struct BadSeedLine {
    /// From 1.
    pub number: usize,
    pub reason: SeedLineError,
}

/// The reason why a line has no URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SeedLineError {
    #[error("the line is not UTF-8")]
    Encoding,
    #[error("\"{0}\" holds a blank; write one URL a line, and a blank in a URL as %20")]
    Blank(String),
    #[error(transparent)]
    Url(#[from] TypedUrlError),
}

/// Reads a seed file, or standard input when `path` is `-`. Returns the URLs in the order of the file, including
/// repeats, and the bad lines.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn read_seed_file(path: &Path, rules: &UrlRules) -> io::Result<(Vec<CanonicalUrl>, Vec<BadSeedLine>)> {
    if path.as_os_str() == "-" {
        read_from(io::stdin().lock(), rules)
    } else {
        read_from(BufReader::new(File::open(path)?), rules)
    }
}

/// As [`read_seed_file`], from any buffered reader.
fn read_from(mut input: impl BufRead, rules: &UrlRules) -> io::Result<(Vec<CanonicalUrl>, Vec<BadSeedLine>)> {
    let (mut urls, mut bad, mut line, mut number) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while input.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let bytes = if number == 1 { strip_bom(&line) } else { &line };
        match parse_seed_line(bytes, rules) {
            Ok(url) => urls.extend(url),
            Err(reason) => bad.push(BadSeedLine { number, reason }),
        }
        line.clear();
    }
    Ok((urls, bad))
}

/// The URL of a line; `None` when the line is empty or a comment.
///
/// # Errors
/// The reason why the line has no URL.
pub fn parse_seed_line(line: &[u8], rules: &UrlRules) -> Result<Option<CanonicalUrl>, SeedLineError> {
    let word = word_of_line(line).map_err(|error| match error {
        WordError::Encoding => SeedLineError::Encoding,
        WordError::Blank(text) => SeedLineError::Blank(text.chars().take(200).collect()),
    })?;
    Ok(word.map(|word| rules.parse_typed(word)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> (Vec<String>, Vec<(usize, String)>) {
        let (urls, bad) = read_from(text, &UrlRules::default()).unwrap();
        (
            urls.iter().map(ToString::to_string).collect(),
            bad.iter().map(|bad| (bad.number, bad.reason.to_string())).collect(),
        )
    }

    #[test]
    fn urls_and_hosts_are_read_and_comments_skipped() {
        let text = "\u{feff}https://example.com/a#b\r\n\n  # a comment\r\n#another\nexample.org\n\
                    example.org:8080/x?y\n//example.net # why\n\tMÜNCHEN.de\t\r\nhttps://example.com/a";
        let (urls, bad) = read_text(text.as_bytes());
        assert_eq!(
            urls,
            [
                "https://example.com/a",
                "http://example.org/",
                "http://example.org:8080/x?y",
                "http://example.net/",
                "http://xn--mnchen-3ya.de/",
                "https://example.com/a",
            ]
        );
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!(read_text(b""), (vec![], vec![]));
    }

    #[test]
    fn bad_lines_are_numbered_and_skipped() {
        let text =
            b"ftp://example.com/\nhttp://a.com/ http://b.com/\n\n\xff\xfe\nhttp://ok.com\n/path\na..b\n";
        let (urls, bad) = read_text(text);
        assert_eq!(urls, ["http://ok.com/"]);
        let numbers: Vec<usize> = bad.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 4, 6, 7]);
        assert!(bad[0].1.contains("not an http or https URL"), "{}", bad[0].1);
        assert!(bad[1].1.contains("one URL a line"), "{}", bad[1].1);
        assert!(bad[2].1.contains("UTF-8"), "{}", bad[2].1);
        assert!(bad[3].1.contains("names no host"), "{}", bad[3].1);
        let shown = BadSeedLine { number: 4, reason: SeedLineError::Encoding }.to_string();
        assert_eq!(shown, "line 4: the line is not UTF-8");
    }

    #[test]
    fn a_file_is_read_and_a_missing_one_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "example.com\n").unwrap();
        let (urls, bad) = read_seed_file(file.path(), &UrlRules::default()).unwrap();
        assert_eq!((urls.len(), bad.len()), (1, 0));
        assert!(read_seed_file(Path::new("/no/such/seeds.txt"), &UrlRules::default()).is_err());
    }
}
