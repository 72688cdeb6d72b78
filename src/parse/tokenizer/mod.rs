//! From text to tokens: the HTML standard's tokenizer (<https://html.spec.whatwg.org/multipage/parsing.html>, 13.2.5).
//!
//! In goes a whole document as text, without carriage returns; out come html5ever's tokens, one by one, into a
//! [`TokenSink`] (the tree builder), whose answers say how to go on: as markup, as raw text, as plain text, or in
//! another encoding. The tree builder decides what is a link; this decides only where tags, texts and comments begin
//! and end. html5ever's own tokenizer serves any input that comes in pieces, character by character, and takes longer
//! than all the rest of a parse; this one has the whole text before it and searches it.
//!
//! Tokens are those of html5ever's tokenizer, except that
//! * texts come in as few pieces as possible, and share the document's memory;
//! * comments are empty, end tags have no attributes, and start tags only those that [`names`] keeps;
//! * long names that html5ever does not know are numbered;
//! * parse errors are not told, and lines are not counted;
//! * a byte order mark is text wherever it stands, as in the standard.
//!
//! Time is linear in the text, but that the kept attributes of one tag are compared with each other; a tag with more
//! attributes than allowed stops the tokenizer. Nothing recurses.

mod markup;
mod names;
mod raw;
mod reference;
mod tag;

#[cfg(test)]
mod peer;

use std::ops::Range;

use html5ever::LocalName;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    CharacterTokens, EOFToken, NullCharacterToken, Token, TokenSink, TokenSinkResult,
};

use super::scanner::Scanner;
use names::Names;

/// Why the tokenizer stopped.
#[derive(Debug, PartialEq)]
pub(super) enum Stop {
    /// The text is at its end.
    End,
    /// The document names its encoding, by this label. It can go on.
    Encoding(StrTendril),
    /// The next tag has too many attributes.
    Flood,
}

/// What the text at hand is read as.
enum State {
    Markup,
    /// The text of an element whose content is no markup.
    Raw(RawKind, LocalName),
    PlainText,
}

/// What becomes of NUL in a text.
#[derive(Clone, Copy, PartialEq)]
enum Nul {
    /// A token of its own, for the tree builder to judge.
    Token,
    /// U+FFFD.
    Replaced,
}

pub(super) struct Tokenizer<'t, S> {
    text: &'t StrTendril,
    scanner: Scanner<'t>,
    state: State,
    names: Names<'t>,
    max_attributes: usize,
    pub(super) sink: S,
}

impl<'t, S: TokenSink> Tokenizer<'t, S> {
    /// `text` holds no carriage returns and less than 4 GiB.
    pub(super) fn new(text: &'t StrTendril, max_attributes: usize, sink: S) -> Self {
        Self {
            text,
            scanner: Scanner::new(text.as_bytes()),
            state: State::Markup,
            names: Names::default(),
            max_attributes,
            sink,
        }
    }

    /// Goes on until there is a reason to stop.
    pub(super) fn run(&mut self) -> Stop {
        while self.scanner.at() < self.text.len() {
            let stop = match &self.state {
                State::Markup => self.markup(),
                State::Raw(kind, _) => {
                    self.raw_text(*kind);
                    None
                }
                State::PlainText => {
                    self.characters(self.scanner.at()..self.text.len(), Nul::Replaced, false);
                    self.scanner.go_to(self.text.len());
                    None
                }
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
        Stop::End
    }

    /// Tells the sink that the document ends here.
    pub(super) fn finish(self) -> S {
        self.emit(EOFToken);
        self.sink.end();
        self.sink
    }

    /// Emits the text up to the next piece of markup, and that.
    fn markup(&mut self) -> Option<Stop> {
        let start = self.scanner.at();
        let end = markup::next(self.text.as_bytes(), start);
        self.characters(start..end, Nul::Token, true);
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

    /// Emits the text of an element that holds no markup. Its end tag comes next, read like any other.
    fn raw_text(&mut self, kind: RawKind) {
        let State::Raw(_, name) = std::mem::replace(&mut self.state, State::Markup) else { return };
        let start = self.scanner.at();
        let end = raw::end(self.text.as_bytes(), start, kind, name.as_bytes());
        self.characters(start..end, Nul::Replaced, kind == RawKind::Rcdata);
        self.scanner.go_to(end);
    }

    /// Emits a part of the text as characters.
    fn characters(&self, place: Range<usize>, nul: Nul, with_references: bool) {
        let bytes = &self.text.as_bytes()[..place.end];
        let ampersand = if with_references { b'&' } else { 0 };
        let (mut start, mut at) = (place.start, place.start);
        while let Some(found) = memchr::memchr2(ampersand, 0, &bytes[at..]) {
            let special = at + found;
            at = special + 1;
            if bytes[special] == 0 {
                self.emit_part(start..special);
                self.emit(match nul {
                    Nul::Token => NullCharacterToken,
                    Nul::Replaced => CharacterTokens(StrTendril::from_char(char::REPLACEMENT_CHARACTER)),
                });
                start = at;
            } else if let Some(reference) = reference::read(&self.text[at..place.end], false) {
                self.emit_part(start..special);
                self.emit(CharacterTokens(reference.stands_for()));
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

    /// Emits a token that is no tag, about which the sink has nothing to say.
    fn emit(&self, token: Token) {
        let _: TokenSinkResult<S::Handle> = self.sink.process_token(token, 1);
    }

    /// A part of the text, which shares its memory.
    fn part(&self, place: Range<usize>) -> StrTendril {
        // `new` asks for a text whose places fit.
        self.text.subtendril(place.start as u32, place.len() as u32)
    }
}
