//! Tags and their attributes.

use std::ops::Range;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{EndTag, StartTag, Tag, TagKind, TagToken, TokenSink, TokenSinkResult};
use html5ever::{Attribute, QualName, ns};

use super::names::KeptAttributes;
use super::{StopReason, Tokenizer, TokenizerState, reference};
use crate::sniff::scanner::End;

/// A tag has more attributes than allowed.
struct TooManyAttributes;

impl<'t, S: TokenSink> Tokenizer<'t, S> {
    /// Reads a tag. A tag that the end of the document cuts off is dropped.
    pub(super) fn tag(&mut self) -> Option<StopReason> {
        let start = self.scanner.at();
        let is_end = self.text.as_bytes().get(start + 1) == Some(&b'/');
        let (kind, opening) = if is_end { (EndTag, "</") } else { (StartTag, "<") };
        self.scanner.advance(opening.len());
        match self.read_tag(kind) {
            Ok(Ok(tag)) => self.emit_tag(tag),
            Ok(Err(TooManyAttributes)) => {
                self.scanner.go_to(start);
                Some(StopReason::TooManyAttributes)
            }
            Err(End) => {
                self.scanner.go_to(self.text.len());
                None
            }
        }
    }

    /// Reads from the name of a tag to its `>`.
    fn read_tag(&mut self, kind: TagKind) -> Result<Result<Tag, TooManyAttributes>, End> {
        let name = self.scanner.tag_name()?;
        let name = self.names.tag(self.source_text(name));
        let kept = if kind == StartTag { name.kept } else { KeptAttributes::Only(&[]) };
        let mut attrs: Vec<Attribute> = Vec::new();
        let mut count = 0;
        while let Some((name, value)) = self.scanner.attribute()? {
            count += 1;
            if count > self.max_attributes {
                return Ok(Err(TooManyAttributes));
            }
            let Some(local) = self.names.attribute(self.source_text(name), kept) else { continue };
            // Of two attributes with one name, the first counts.
            if attrs.iter().all(|other| other.name.local != local) {
                attrs.push(Attribute { name: QualName::new(None, ns!(), local), value: self.value(value) });
            }
        }
        let self_closing = self.scanner.is_after_slash();
        self.scanner.advance(">".len());
        Ok(Ok(Tag { kind, name: name.local, self_closing, attrs, had_duplicate_attributes: false }))
    }

    fn emit_tag(&mut self, tag: Tag) -> Option<StopReason> {
        let name = tag.name.clone();
        match self.sink.process_token(TagToken(tag), 1) {
            TokenSinkResult::Continue | TokenSinkResult::Script(_) => {}
            TokenSinkResult::Plaintext => self.state = TokenizerState::PlainText,
            TokenSinkResult::RawData(kind) => self.state = TokenizerState::Raw(kind, name),
            TokenSinkResult::EncodingIndicator(label) => return Some(StopReason::Encoding(label)),
        }
        None
    }

    /// The value of an attribute: references decoded, NUL replaced.
    fn value(&self, place: Range<usize>) -> StrTendril {
        let written = self.source_text(place.clone());
        let Some(special) = memchr::memchr2(b'&', 0, written.as_bytes()) else { return self.part(place) };
        let mut value = StrTendril::from_slice(&written[..special]);
        let mut rest = &written[special..];
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '\0' => value.push_char(char::REPLACEMENT_CHARACTER),
                '&' => match reference::read(rest, true) {
                    Some(reference) => {
                        value.push_tendril(&reference.to_text());
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

    /// A slice of the text, as written.
    fn source_text(&self, place: Range<usize>) -> &'t str {
        let text: &'t str = self.text;
        &text[place]
    }
}
