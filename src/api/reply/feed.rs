//! Feeds: lists of dated links as Atom (RFC 4287), for feed readers.
//!
//! A reader recognizes an entry by its id, so the id depends on the link and its day alone: not on the rank or on the
//! position, which change. Links that differ in neither have numbers.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::headers;
use super::provenance::Provenance;
use crate::api::endpoint::Feed;
use crate::api::http::body_writer::BodyWriter;
use crate::api::{ApiError, ListRequest, RequestContext};
use crate::query::{Plan, RowPage};

/// The columns that an entry shows.
#[derive(Default)]
struct FeedEntry {
    day: String,
    page: String,
    page_title: String,
    target: String,
    text: String,
    tag: String,
}

impl RequestContext<'_> {
    /// Writes the rows of the window as a feed. The plan has all columns.
    pub(super) fn write_feed(
        &self,
        request: &ListRequest,
        plan: &Plan,
        feed: Feed,
        writer: &mut BodyWriter<'_>,
    ) -> Result<(), ApiError> {
        let window = self.params.window(&self.state.config)?;
        let found = request.page(self, plan, window)?;
        let provenance = request.provenance().and(Provenance::of_answer(&found));
        let warnings = self.warnings(&plan.warnings, &provenance);
        let meta = self.response_meta(&[
            headers::total_count(found.answer.count),
            headers::export_finished(Some(found.is_complete)),
            headers::warnings(&warnings),
        ]);
        let entries: Vec<FeedEntry> = entries(&found.answer, plan, feed.day);
        // A feed without entries is as old as the days that it covers.
        let first_day = request.day_range.as_ref().map(|(_, range)| range.days().start().to_string());
        let updated = entries.iter().map(|entry| entry.day.clone()).max().or(first_day).unwrap_or_default();
        let mut xml = self.feed_head(feed, request.subject(), &updated);
        write_entries(&mut xml, self.endpoint.name, &entries);
        xml.push_str("</feed>\n");
        writer.set_meta(meta, &provenance);
        Ok(std::io::Write::write_all(writer, xml.as_bytes())?)
    }

    /// Everything before the entries. The link to itself has the filters of the request.
    fn feed_head(&self, feed: Feed, subject: &str, updated: &str) -> String {
        let address = format!("/{}?{}", self.endpoint.name, self.params.to_query());
        let filters = self.params.single("where").ok().flatten().filter(|text| !text.is_empty());
        let filters = filters.map_or_else(String::new, |text| format!(" where {text}"));
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
             <id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n\
             <author><name>{}</name></author>\n<link rel=\"self\" href=\"{}\"/>\n",
            urn(&["feed", &address]),
            escape_xml(&format!("{} {subject}{filters}", feed.title)),
            time(updated),
            env!("CARGO_PKG_NAME"),
            escape_xml(&address),
        )
    }
}

fn entries(page: &RowPage, plan: &Plan, day: &str) -> Vec<FeedEntry> {
    let mut entries = Vec::with_capacity(page.rows());
    for row in page.iter() {
        let mut entry = FeedEntry::default();
        for (column, value) in plan.columns.iter().zip(row.cells()) {
            let cell = match column.name {
                name if name == day => &mut entry.day,
                "backlinkpage" => &mut entry.page,
                "title" => &mut entry.page_title,
                "linktarget" => &mut entry.target,
                "linktext" => &mut entry.text,
                "tag" => &mut entry.tag,
                _ => continue,
            };
            *cell = value.to_string();
        }
        entries.push(entry);
    }
    entries
}

fn write_entries(xml: &mut String, endpoint: &str, entries: &[FeedEntry]) {
    let mut same: HashMap<[&str; 5], usize> = HashMap::new();
    for FeedEntry { day, page, page_title, target, text, tag } in entries {
        let number = same.entry([page, target, text, tag, day]).or_default();
        let id = urn(&[endpoint, page, target, text, tag, day, &number.to_string()]);
        *number += 1;
        let title = if page_title.is_empty() { page } else { page_title };
        let with_text = if text.is_empty() { String::new() } else { format!(", with the text “{text}”") };
        // Writing to a String cannot fail.
        let _ = write!(
            xml,
            "<entry>\n<id>{id}</id>\n<title>{}</title>\n<updated>{}</updated>\n<link href=\"{}\"/>\n\
             <summary>{}</summary>\n</entry>\n",
            escape_xml(title),
            time(day),
            escape_xml(page),
            escape_xml(&format!("{page} → {target}{with_text}")),
        );
    }
}

/// A UUID that is computed from texts (RFC 9562, version 8).
fn urn(texts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        // The length keeps texts apart.
        digest.update(text.len().to_be_bytes());
        digest.update(text.as_bytes());
    }
    let mut bits =
        digest.finalize().iter().take(16).fold(0, |bits: u128, byte| (bits << 8) | u128::from(*byte));
    bits = (bits & !(0xf << 76)) | (0x8 << 76);
    bits = (bits & !(0x3 << 62)) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A day, written as yyyyMMdd, as in RFC 3339.
fn time(day: &str) -> String {
    match (day.get(..4), day.get(4..6), day.get(6..8)) {
        (Some(year), Some(month), Some(date)) => format!("{year}-{month}-{date}T00:00:00Z"),
        _ => "1970-01-01T00:00:00Z".to_owned(),
    }
}

/// Escapes a text for the content and the attributes of XML. Characters that XML 1.0 does not allow are replaced.
pub(super) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_are_escaped() {
        assert_eq!(
            escape_xml("<a href='x'>\"&\0\u{1b}\u{ffff}\n]]>"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{fffd}\u{fffd}\u{fffd} ]]&gt;"
        );
    }

    #[test]
    fn an_id_depends_on_every_text_and_on_nothing_else() {
        let id = urn(&["a", "b"]);
        assert_eq!(id, urn(&["a", "b"]));
        assert_ne!(id, urn(&["ab", ""]));
        assert_ne!(id, urn(&["b", "a"]));
        let parts: Vec<&str> = id.strip_prefix("urn:uuid:").unwrap().split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('8') && "89ab".contains(&parts[3][..1]), "{id}");
    }

    #[test]
    fn a_day_is_a_time() {
        assert_eq!(time("20240229"), "2024-02-29T00:00:00Z");
        assert_eq!(time(""), "1970-01-01T00:00:00Z");
    }
}
