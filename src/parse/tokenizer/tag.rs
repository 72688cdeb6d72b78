//! Tags and their attributes.

use std::ops::Range;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{EndTag, StartTag, Tag, TagKind, TagToken, TokenSink, TokenSinkResult};
use html5ever::{Attribute, QualName, ns};

use super::names::Kept;
use super::{State, Stop, Tokenizer, reference};
use crate::parse::scanner::End;

/// A tag has more attributes than allowed.
struct Flood;

impl<'t, S: TokenSink> Tokenizer<'t, S> {
    /// Passes a tag. One that the document ends within is left out.
    pub(super) fn tag(&mut self) -> Option<Stop> {
        let start = self.scanner.at();
        let is_end = self.text.as_bytes().get(start + 1) == Some(&b'/');
        let (kind, opening) = if is_end { (EndTag, "</") } else { (StartTag, "<") };
        self.scanner.advance(opening.len());
        match self.read_tag(kind) {
            Ok(Ok(tag)) => self.emit_tag(tag),
            Ok(Err(Flood)) => {
                self.scanner.go_to(start);
                Some(Stop::Flood)
            }
            Err(End) => {
                self.scanner.go_to(self.text.len());
                None
            }
        }
    }

    /// From the name of a tag to behind its `>`.
    fn read_tag(&mut self, kind: TagKind) -> Result<Result<Tag, Flood>, End> {
        let name = self.scanner.tag_name()?;
        let name = self.names.tag(self.written(name));
        let kept = if kind == StartTag { name.kept } else { Kept::Only(&[]) };
        let mut attrs: Vec<Attribute> = Vec::new();
        let mut count = 0;
        while let Some((name, value)) = self.scanner.attribute()? {
            count += 1;
            if count > self.max_attributes {
                return Ok(Err(Flood));
            }
            let Some(local) = self.names.attribute(self.written(name), kept) else { continue };
            // Of two attributes of one name, the first counts.
            if attrs.iter().all(|other| other.name.local != local) {
                attrs.push(Attribute { name: QualName::new(None, ns!(), local), value: self.value(value) });
            }
        }
        let self_closing = self.scanner.is_after_slash();
        self.scanner.advance(">".len());
        Ok(Ok(Tag { kind, name: name.local, self_closing, attrs, had_duplicate_attributes: false }))
    }

    fn emit_tag(&mut self, tag: Tag) -> Option<Stop> {
        let name = tag.name.clone();
        match self.sink.process_token(TagToken(tag), 1) {
            TokenSinkResult::Continue | TokenSinkResult::Script(_) => {}
            TokenSinkResult::Plaintext => self.state = State::PlainText,
            TokenSinkResult::RawData(kind) => self.state = State::Raw(kind, name),
            TokenSinkResult::EncodingIndicator(label) => return Some(Stop::Encoding(label)),
        }
        None
    }

    /// The value of an attribute: references read, NUL replaced.
    fn value(&self, place: Range<usize>) -> StrTendril {
        let written = self.written(place.clone());
        let Some(special) = memchr::memchr2(b'&', 0, written.as_bytes()) else { return self.part(place) };
        let mut value = StrTendril::from_slice(&written[..special]);
        let mut rest = &written[special..];
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '\0' => value.push_char(char::REPLACEMENT_CHARACTER),
                '&' => match reference::read(rest, true) {
                    Some(reference) => {
                        value.push_tendril(&reference.stands_for());
                        rest = &rest[reference.length..];
                    }
                    None => value.push_char('&'),
                },
                _ => value.push_char(first),
            }
            let plain = memchr::memchr2(b'&', 0, rest.as_bytes()).unwrap_or(rest.len());
            value.push_slice(&rest[..plain]);
            rest = &rest[plain..];
        }
        value
    }

    /// A part of the text, as it is written.
    fn written(&self, place: Range<usize>) -> &'t str {
        let text: &'t str = self.text;
        &text[place]
    }
}
