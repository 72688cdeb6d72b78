//! The tokenizer of the HTML standard (<https://html.spec.whatwg.org/multipage/parsing.html>, 13.2.5).
//!
//! The input is a whole document as text, without carriage returns. The output goes to a [`TokenSink`] (the tree
//! builder) as html5ever's tokens. After each tag the sink decides how to read on: as markup, as raw text, as plain
//! text, or in another encoding. The tree builder decides what is a link; the tokenizer decides only where tags,
//! texts and comments start and end. html5ever's own tokenizer accepts input in pieces and works character by
//! character, which takes longer than the rest of a parse. This one has the whole text and searches it.
//!
//! Tokens equal those of html5ever's tokenizer, with these exceptions:
//!
//! * texts come in as few pieces as possible, and share the memory of the document;
//! * comments are empty, end tags have no attributes, and start tags only those that [`names`] keeps;
//! * long names that html5ever does not know are numbered;
//! * parse errors are not reported, and lines are not counted;
//! * a byte order mark is text at any position, as in the standard.
//!
//! Time is linear in the text, except that the kept attributes of one tag are compared with each other. A tag with
//! more attributes than allowed stops the tokenizer. Nothing recurses.

mod markup;
mod names;
mod raw;
mod reference;
mod tag;

#[cfg(test)]
mod html5ever_parity;

use std::ops::Range;

use html5ever::LocalName;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    CharacterTokens, EOFToken, NullCharacterToken, Token, TokenSink, TokenSinkResult,
};

use crate::sniff::scanner::Scanner;
use names::Names;

/// Why the tokenizer stopped.
#[derive(Debug, PartialEq)]
pub(super) enum StopReason {
    /// The end of the text.
    End,
    /// The document declares its encoding, by this label. The tokenizer can go on.
    Encoding(StrTendril),
    /// The next tag has too many attributes.
    TooManyAttributes,
}

/// How the following text is read.
enum TokenizerState {
    Markup,
    /// Raw text of an element whose content is not markup.
    Raw(RawKind, LocalName),
    PlainText,
}

/// The treatment of NUL characters in a text.
#[derive(Clone, Copy, PartialEq)]
enum NulHandling {
    /// A token of its own, which the tree builder interprets.
    Token,
    /// Replaced by U+FFFD.
    Replaced,
}

pub(super) struct Tokenizer<'t, S> {
    text: &'t StrTendril,
    scanner: Scanner<'t>,
    state: TokenizerState,
    names: Names<'t>,
    max_attributes: usize,
    pub(super) sink: S,
}

impl<'t, S: TokenSink> Tokenizer<'t, S> {
    /// `text` has no carriage returns and less than 4 GiB.
    pub(super) fn new(text: &'t StrTendril, max_attributes: usize, sink: S) -> Self {
        Self {
            text,
            scanner: Scanner::new(text.as_bytes()),
            state: TokenizerState::Markup,
            names: Names::default(),
            max_attributes,
            sink,
        }
    }

    /// Reads on until there is a reason to stop.
    pub(super) fn run(&mut self) -> StopReason {
        while self.scanner.at() < self.text.len() {
            let stop = match &self.state {
                TokenizerState::Markup => self.markup(),
                TokenizerState::Raw(kind, _) => {
                    self.raw_text(*kind);
                    None
                }
                TokenizerState::PlainText => {
                    self.characters(self.scanner.at()..self.text.len(), NulHandling::Replaced, false);
                    self.scanner.go_to(self.text.len());
                    None
                }
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
        StopReason::End
    }

    /// Signals the end of the document to the sink.
    pub(super) fn finish(self) -> S {
        self.emit(EOFToken);
        self.sink.end();
        self.sink
    }

    /// Emits the text up to the next piece of markup, and that piece.
    fn markup(&mut self) -> Option<StopReason> {
        let start = self.scanner.at();
        let end = markup::find_next(self.text.as_bytes(), start);
        self.characters(start..end, NulHandling::Token, true);
        self.scanner.go_to(end);
        match &self.text.as_bytes()[end..] {
            [b'<', b'!', ..] => self.declaration(),
            [b'<', b'?', ..] => self.bogus_comment(),
            [b'<', b'/', b'>', ..] => self.scanner.advance("</>".len()),
            [b'<', b'/', letter, ..] if !letter.is_ascii_alphabetic() => self.bogus_comment(),
            [b'<', ..] => return self.tag(),
            _ => {}
        }
        None
    }

    /// Emits the text of an element without markup. Its end tag comes next, as an ordinary tag.
    fn raw_text(&mut self, kind: RawKind) {
        let TokenizerState::Raw(_, name) = std::mem::replace(&mut self.state, TokenizerState::Markup) else {
            return;
        };
        let start = self.scanner.at();
        let end = raw::find_end(self.text.as_bytes(), start, kind, name.as_bytes());
        self.characters(start..end, NulHandling::Replaced, kind == RawKind::Rcdata);
        self.scanner.go_to(end);
    }

    /// Emits a part of the text as characters.
    fn characters(&self, place: Range<usize>, nul: NulHandling, with_references: bool) {
        let bytes = &self.text.as_bytes()[..place.end];
        let ampersand = if with_references { b'&' } else { 0 };
        let (mut start, mut at) = (place.start, place.start);
        while let Some(found) = memchr::memchr2(ampersand, 0, &bytes[at..]) {
            let special = at + found;
            at = special + 1;
            if bytes[special] == 0 {
                self.emit_part(start..special);
                self.emit(match nul {
                    NulHandling::Token => NullCharacterToken,
                    NulHandling::Replaced => {
                        CharacterTokens(StrTendril::from_char(char::REPLACEMENT_CHARACTER))
                    }
                });
                start = at;
            } else if let Some(reference) = reference::read(&self.text[at..place.end], false) {
                self.emit_part(start..special);
                self.emit(CharacterTokens(reference.to_text()));
                at += reference.length;
                start = at;
            }
        }
        self.emit_part(start..place.end);
    }

    fn emit_part(&self, place: Range<usize>) {
        if !place.is_empty() {
            self.emit(CharacterTokens(self.part(place)));
        }
    }

    /// Emits a token other than a tag, to which the sink has no reply.
    fn emit(&self, token: Token) {
        let _: TokenSinkResult<S::Handle> = self.sink.process_token(token, 1);
    }

    /// A slice of the text, which shares its memory.
    #[expect(clippy::cast_possible_truncation, reason = "the limit of `new` makes the offsets fit")]
    fn part(&self, place: Range<usize>) -> StrTendril {
        self.text.subtendril(place.start as u32, place.len() as u32)
    }
}
