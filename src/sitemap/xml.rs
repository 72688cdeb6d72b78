//! Sitemaps and feeds in XML.
//!
//! An element counts at the position that its format defines, and with the prefix of the root: `<image:loc>` is not
//! `<loc>`. Namespaces are not checked, because many files declare a wrong one.

use std::io::BufRead;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader};

use super::{Sitemap, SitemapEntry, SitemapError, SitemapKind, date};

/// The elements of a format.
struct FeedFormat {
    root: &'static [u8],
    kind: SitemapKind,
    /// Number of elements around an entry, including the root.
    depth: usize,
    entry: &'static [u8],
    loc: &'static [u8],
    /// The attribute with the address, if that is not text.
    attribute: Option<&'static [u8]>,
    lastmod: &'static [u8],
}

const FORMATS: [FeedFormat; 5] = [
    FeedFormat::new(b"urlset", SitemapKind::Urls, 1, b"url", b"loc", b"lastmod"),
    FeedFormat::new(b"sitemapindex", SitemapKind::Index, 1, b"sitemap", b"loc", b"lastmod"),
    // The dates of RSS have another format, and describe a text rather than a page.
    FeedFormat::new(b"rss", SitemapKind::Urls, 2, b"item", b"link", b""),
    FeedFormat::new(b"RDF", SitemapKind::Urls, 1, b"item", b"link", b"date"),
    FeedFormat {
        attribute: Some(b"href"),
        ..FeedFormat::new(b"feed", SitemapKind::Urls, 1, b"entry", b"link", b"updated")
    },
];

impl FeedFormat {
    const fn new(
        root: &'static [u8],
        kind: SitemapKind,
        depth: usize,
        entry: &'static [u8],
        loc: &'static [u8],
        lastmod: &'static [u8],
    ) -> Self {
        Self { root, kind, depth, entry, loc, attribute: None, lastmod }
    }
}

/// Reads up to `most` entries.
///
/// # Errors
/// [`SitemapError`] when the root element is unknown, or there is no element.
pub(super) fn read(input: &mut impl BufRead, most: usize) -> Result<Sitemap, SitemapError> {
    let mut reader = Reader::from_reader(input);
    // `?a=1&b=2` should be `?a=1&amp;b=2`, but often is not.
    reader.config_mut().allow_dangling_amp = true;
    let mut buffer = Vec::new();
    let mut reader_state = root(&mut reader, &mut buffer)?;
    let (is_cut, is_broken) = loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break (reader_state.depth != 0, reader_state.depth != 0),
            Ok(_) if reader_state.entries.len() > most => break (true, false),
            Ok(event) => reader_state.handle(&event),
            Err(_) => break (true, true),
        }
    };
    reader_state.entries.truncate(most);
    Ok(Sitemap { kind: reader_state.format.kind, entries: reader_state.entries, is_cut, is_broken })
}

/// Reads up to the first element.
fn root(reader: &mut Reader<&mut impl BufRead>, buffer: &mut Vec<u8>) -> Result<EntryReader, SitemapError> {
    loop {
        buffer.clear();
        let (start, depth) = match reader.read_event_into(buffer) {
            Ok(Event::Start(start)) => (start, 1),
            Ok(Event::Empty(start)) => (start, 0),
            Err(Error::Io(error)) => return Err(SitemapError::Broken(error.to_string())),
            Ok(Event::Eof) | Err(_) => return Err(SitemapError::Neither),
            Ok(_) => continue,
        };
        let name = start.local_name();
        let format = FORMATS.iter().find(|format| format.root == name.as_ref()).ok_or_else(|| {
            SitemapError::Root(String::from_utf8_lossy(name.as_ref()).chars().take(50).collect())
        })?;
        return Ok(EntryReader {
            format,
            prefix: prefix(&start).to_owned(),
            depth,
            in_entry: false,
            field: None,
            loc: Vec::new(),
            lastmod: Vec::new(),
            entries: Vec::new(),
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SitemapField {
    Loc,
    LastMod,
}

struct EntryReader {
    format: &'static FeedFormat,
    /// The prefix of the root, with its colon.
    prefix: Vec<u8>,
    /// Number of open elements.
    depth: usize,
    in_entry: bool,
    /// The field whose text is being read.
    field: Option<SitemapField>,
    loc: Vec<u8>,
    lastmod: Vec<u8>,
    entries: Vec<SitemapEntry>,
}

impl EntryReader {
    fn handle(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(start) => {
                self.open(start);
                self.depth += 1;
            }
            Event::Empty(start) => {
                self.open(start);
                self.close();
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                self.close();
            }
            Event::Text(text) => self.text(text),
            Event::CData(text) => self.text(text),
            Event::GeneralRef(reference) => self.reference(reference),
            _ => {}
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        let (format, name) = (self.format, start.local_name());
        if self.depth == format.depth && name.as_ref() == format.entry {
            self.in_entry = true;
            self.loc.clear();
            self.lastmod.clear();
        } else if self.in_entry && self.depth == format.depth + 1 {
            // RSS 1.0 takes its root, its elements and its dates from three namespaces.
            let is_own = format.root == b"RDF" || prefix(start) == self.prefix;
            if is_own && name.as_ref() == format.loc {
                self.open_loc(start);
            } else if is_own && name.as_ref() == format.lastmod {
                self.lastmod.clear();
                self.field = Some(SitemapField::LastMod);
            }
        }
    }

    fn open_loc(&mut self, start: &BytesStart<'_>) {
        let Some(attribute) = self.format.attribute else {
            self.loc.clear();
            self.field = Some(SitemapField::Loc);
            return;
        };
        let value = |name: &[u8]| {
            let attribute = start.try_get_attribute(name).ok()??;
            let text = std::str::from_utf8(&attribute.value).ok()?;
            quick_xml::escape::unescape(text).ok().map(|text| text.into_owned())
        };
        let is_the_page = value(b"rel").is_none_or(|rel| rel == "alternate");
        if let (true, Some(address)) = (is_the_page && self.loc.is_empty(), value(attribute)) {
            self.loc = address.into_bytes();
        }
    }

    /// Ends an element, after `depth` has been reduced to the level around it.
    fn close(&mut self) {
        if self.depth == self.format.depth + 1 {
            self.field = None;
        } else if self.depth == self.format.depth && self.in_entry {
            self.in_entry = false;
            self.field = None;
            self.finish_entry();
        }
    }

    fn finish_entry(&mut self) {
        let Some(loc) = std::str::from_utf8(&self.loc).ok().map(str::trim).filter(|loc| !loc.is_empty())
        else {
            return;
        };
        let lastmod = std::str::from_utf8(&self.lastmod).ok().and_then(date::parse);
        self.entries.push(SitemapEntry { loc: loc.to_owned(), lastmod });
    }

    fn text(&mut self, text: &[u8]) {
        // Text in a nested element is not part of the field.
        if self.depth == self.format.depth + 2 {
            match self.field {
                Some(SitemapField::Loc) => self.loc.extend_from_slice(text),
                Some(SitemapField::LastMod) => self.lastmod.extend_from_slice(text),
                None => {}
            }
        }
    }

    /// A character reference, or one of the five predefined entities. Any other reference is kept as written.
    fn reference(&mut self, reference: &BytesRef<'_>) {
        if let Ok(Some(character)) = reference.resolve_char_ref() {
            self.text(character.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        let name = String::from_utf8_lossy(reference);
        match quick_xml::escape::resolve_predefined_entity(&name) {
            Some(text) => self.text(text.as_bytes()),
            None => self.text(format!("&{name};").as_bytes()),
        }
    }
}

/// The prefix of an element's name, including the colon.
fn prefix<'a>(start: &'a BytesStart<'_>) -> &'a [u8] {
    let name = start.name().into_inner();
    &name[..name.len() - start.local_name().into_inner().len()]
}
