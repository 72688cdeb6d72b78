//! Markup other than tags: comments, doctypes and CDATA sections.

use std::cell::RefCell;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    CommentToken, Doctype, DoctypeToken, Token, TokenSink, TokenSinkResult, Tokenizer as Html5ever,
    TokenizerOpts,
};

use super::{NulHandling, Tokenizer};
use crate::sniff::scanner::find;

/// The offset of the next piece of markup, or the end of the text.
pub(super) fn find_next(bytes: &[u8], start: usize) -> usize {
    let begins = |at: &usize| match &bytes[start + at + 1..] {
        [b'!' | b'?', ..] | [b'/', _, ..] => true,
        [letter, ..] => letter.is_ascii_alphabetic(),
        [] => false,
    };
    memchr::memchr_iter(b'<', &bytes[start..]).find(begins).map_or(bytes.len(), |at| start + at)
}

impl<S: TokenSink> Tokenizer<'_, S> {
    /// Skips a piece of markup that starts with `<!`.
    pub(super) fn declaration(&mut self) {
        let rest = self.rest();
        let is_doctype =
            rest.get("<!".len().."<!doctype".len()).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype"));
        if rest.starts_with(b"<!--") {
            self.comment();
        } else if is_doctype {
            self.doctype();
        } else if rest.starts_with(b"<![CDATA[")
            && self.sink.adjusted_current_node_present_but_not_in_html_namespace()
        {
            self.cdata();
        } else {
            self.bogus_comment();
        }
    }

    /// Skips a dropped piece up to the next `>`.
    pub(super) fn bogus_comment(&mut self) {
        let length = memchr::memchr(b'>', self.rest()).map(|end| end + 1);
        self.pass_comment(length);
    }

    fn comment(&mut self) {
        let text = &self.rest()["<!--".len()..];
        let length = match text {
            [b'>', ..] => Some(">".len()),
            [b'-', b'>', ..] => Some("->".len()),
            _ => end_of_comment(text),
        };
        self.pass_comment(length.map(|length| "<!--".len() + length));
    }

    /// Skips a comment of this many bytes; an unclosed one up to the end.
    fn pass_comment(&mut self, length: Option<usize>) {
        self.scanner.advance(length.unwrap_or(self.rest().len()));
        self.emit(CommentToken(StrTendril::new()));
    }

    /// Emits a doctype, which ends at the first `>`, quoted or not. html5ever parses it, since a document has only
    /// one.
    fn doctype(&mut self) {
        let rest = self.rest();
        let length = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
        let start = self.scanner.at();
        let input = BufferQueue::default();
        input.push_back(self.part(start..start + length));
        let reader = Html5ever::new(DoctypeReader::default(), TokenizerOpts::default());
        let _ = reader.feed(&input);
        reader.end();
        self.scanner.advance(length);
        if let Some(doctype) = reader.sink.0.take() {
            self.emit(DoctypeToken(doctype));
        }
    }

    fn cdata(&mut self) {
        self.scanner.advance("<![CDATA[".len());
        let start = self.scanner.at();
        let length = find(self.rest(), b"]]>");
        let end = length.map_or(self.text.len(), |length| start + length);
        self.characters(start..end, NulHandling::Token, false);
        self.scanner.go_to(length.map_or(end, |_| end + "]]>".len()));
    }

    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.scanner.at()..]
    }
}

/// Bytes up to and including the first `-->` or `--!>`.
fn end_of_comment(text: &[u8]) -> Option<usize> {
    let closes = |at: &usize| text[..*at].ends_with(b"--") || text[..*at].ends_with(b"--!");
    memchr::memchr_iter(b'>', text).find(closes).map(|at| at + 1)
}

/// Stores the doctype token.
#[derive(Default)]
struct DoctypeReader(RefCell<Option<Doctype>>);

impl TokenSink for DoctypeReader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        if let DoctypeToken(doctype) = token {
            self.0.replace(Some(doctype));
        }
        TokenSinkResult::Continue
    }
}
