//! Compares the tokenizer with html5ever's: for any text, both give a tree builder the same tokens.

use std::cell::RefCell;

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tokenizer::{
    CommentToken, Doctype, DoctypeToken, StartTag, Tag, TagKind, TagToken, Tokenizer as Html5ever,
    TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::parse::dom::builder::normalize_newlines;
use crate::parse::dom::node::{NodeRef, Nodes};
use crate::parse::dom::sink::Sink;

/// A token, without the details that the two tokenizers report differently.
#[derive(Debug, PartialEq)]
enum SeenToken {
    Text(String),
    Nul,
    Comment,
    Doctype(Doctype),
    Tag { kind: TagKind, name: String, self_closing: bool, attributes: Vec<(String, String)> },
    End,
}

/// Records the tokens that a tree builder gets.
struct Recorder<'a> {
    builder: TreeBuilder<NodeRef<'a>, Sink<'a>>,
    seen: RefCell<Vec<SeenToken>>,
    /// Long names unknown to html5ever, in order of appearance.
    unknown: RefCell<Vec<LocalName>>,
}

impl<'a> Recorder<'a> {
    fn new(nodes: &'a Nodes<'a>) -> Self {
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            builder: TreeBuilder::new(Sink::new(nodes), options),
            seen: RefCell::default(),
            unknown: RefCell::default(),
        }
    }

    fn record(&self, token: &Token) {
        let mut seen = self.seen.borrow_mut();
        match token {
            CharacterTokens(text) => match seen.last_mut() {
                Some(SeenToken::Text(before)) => before.push_str(text),
                _ if text.is_empty() => {}
                _ => seen.push(SeenToken::Text(text.to_string())),
            },
            NullCharacterToken => seen.push(SeenToken::Nul),
            CommentToken(_) => seen.push(SeenToken::Comment),
            DoctypeToken(doctype) => seen.push(SeenToken::Doctype(doctype.clone())),
            TagToken(tag) => seen.push(self.seen_tag(tag)),
            EOFToken => seen.push(SeenToken::End),
            Token::ParseError(_) => {}
        }
    }
}

impl Recorder<'_> {
    fn seen_tag(&self, tag: &Tag) -> SeenToken {
        let kept = Names::default().tag(&tag.name).kept;
        let is_kept = |name: &str| tag.kind == StartTag && Names::default().attribute(name, kept).is_some();
        let attributes = tag.attrs.iter().filter(|attribute| is_kept(&attribute.name.local));
        SeenToken::Tag {
            kind: tag.kind,
            name: self.name(&tag.name),
            self_closing: tag.self_closing,
            attributes: attributes.map(|one| (self.name(&one.name.local), one.value.to_string())).collect(),
        }
    }

    /// A name known to html5ever, or else a number.
    fn name(&self, name: &LocalName) -> String {
        if LocalName::try_static(name).is_some() || (name.len() <= 7 && !name.starts_with(' ')) {
            return name.to_string();
        }
        let mut unknown = self.unknown.borrow_mut();
        let number = unknown.iter().position(|known| known == name).unwrap_or(unknown.len());
        if number == unknown.len() {
            unknown.push(name.clone());
        }
        format!("stranger {number}")
    }
}

impl<'a> TokenSink for Recorder<'a> {
    type Handle = NodeRef<'a>;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeRef<'a>> {
        self.record(&token);
        self.builder.process_token(token, line)
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

fn ours(text: &str) -> Vec<SeenToken> {
    let (nodes, text) = (Nodes::new(), normalize_newlines(text));
    let mut tokenizer = Tokenizer::new(&text, usize::MAX, Recorder::new(&nodes));
    while tokenizer.run() != StopReason::End {}
    tokenizer.finish().seen.into_inner()
}

fn theirs(text: &str) -> Vec<SeenToken> {
    let nodes = Nodes::new();
    let options = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
    let tokenizer = Html5ever::new(Recorder::new(&nodes), options);
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.seen.into_inner()
}

/// Pieces of markup at which a tokenizer has to decide.
const PIECES: [&str; 125] = [
    "<",
    ">",
    "</",
    "/>",
    "=",
    "/",
    "\"",
    "'",
    "&",
    ";",
    "-",
    "--",
    "!",
    "?",
    "]",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\x0c",
    "\0",
    "x",
    "Z",
    "é",
    "\u{feff}",
    "\u{a0}",
    "text & more",
    "&amp;",
    "&amp",
    "&ampx",
    "&amp=",
    "&notin;",
    "&notit;",
    "&not",
    "&NotEqualTilde;",
    "&nosuch;",
    "&#",
    "&#x",
    "&#65;",
    "&#x41",
    "&#0;",
    "&#128;",
    "&#x110000;",
    "&#xD800;",
    "&#99999999999;",
    "<!",
    "<!-",
    "<!--",
    "-->",
    "--!>",
    "->",
    "<!-->",
    "<!--->",
    "<!-- a <!-- b -->",
    "<?php ",
    "<?",
    "</>",
    "</ x>",
    "<1>",
    "<!doctype html>",
    "<!DOCTYPE",
    "<!doctype html public \"-//W3C//DTD HTML 4.01//EN\" 'x>",
    "<!doctype x system '",
    "<![CDATA[",
    "]]>",
    "]]",
    "<svg>",
    "</svg>",
    "<math>",
    "</math>",
    "<desc>",
    "<annotation-xml encoding=Text/HTML>",
    "<p>",
    "</p>",
    "<P CLASS=a>",
    "<a href=x>",
    "<A HREF = \"a&amp;b\0\" href=2>",
    "<a b c=d 'e' f/g>",
    "<a/ >",
    "<a href=x/>",
    "<a href=''/>",
    "</a href=x>",
    "<br/>",
    "<x-number-one X-Number-One>",
    "<X-NUMBER-ONE>",
    "</x-number-one>",
    "<x-number-two>",
    "</x-number-two>",
    "<Layer>",
    "<b x-number-one Y-NUMBER-TWO=1 y-number-two=2>",
    "<img alt='a&lt=b' src=x>",
    "<input TYPE=hidden x>",
    "<b x=1 X=2 \0=3>",
    "<i ==a>",
    "<meta charset=utf-8>",
    "<meta http-equiv=content-type content='a;charset=b'>",
    "<script>",
    "</script>",
    "</SCRIPT ",
    "</scriptx>",
    "<!--<script>",
    "<script ",
    "</script/x>",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "</title\n>",
    "<textarea>",
    "</textarea>",
    "<xmp>",
    "</xmp>",
    "<iframe>",
    "</iframe>",
    "<noembed>",
    "<noframes>",
    "</noframes>",
    "<noscript>",
    "<template>",
    "</template>",
    "<table>",
    "<td>",
    "<select>",
    "<plaintext>",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_soup_of_tags_has_the_same_tokens(pieces in vec(proptest::sample::select(&PIECES[..]), 0..40)) {
        let text = pieces.concat();
        prop_assert_eq!(ours(&text), theirs(&text), "{:?}", text);
    }

    #[test]
    fn any_text_has_the_same_tokens(text in "(?s)[<>/!&#;=\"'a-cA-C0-2 \n\r\0é-]{0,60}") {
        prop_assert_eq!(ours(&text), theirs(&text), "{:?}", text);
    }

    #[test]
    fn any_script_ends_at_the_same_place(pieces in vec(proptest::sample::select(
        &["<script>", "</script>", "<script", "</script", "<!--", "-->", "--", "-", ">", " ", "<", "/", "x", "\0"][..]
    ), 0..30)) {
        let text = format!("<script>{}", pieces.concat());
        prop_assert_eq!(ours(&text), theirs(&text), "{:?}", text);
    }
}

#[test]
fn a_tag_with_too_many_attributes_stops_the_tokenizer() {
    let stop = |text: &str| {
        let (nodes, text) = (Nodes::new(), normalize_newlines(text));
        let mut tokenizer = Tokenizer::new(&text, 100, Recorder::new(&nodes));
        (tokenizer.run(), tokenizer.scanner.at())
    };
    let attributes = |count: usize| (0..count).map(|n| format!(" a{n}=\">\"")).collect::<String>();
    for (before, found) in [
        ("<p>text</p>", true),
        ("<p title='<b>'>a < b", true),
        ("<script>a<b</script>", true),
        ("<SCRIPT>'", false),
        ("<!-- -->", true),
        ("<!-- ", false),
        ("<style>", false),
        ("<textarea><", false),
    ] {
        let text = format!("{before}<a{}>", attributes(101));
        let expected =
            if found { (StopReason::TooManyAttributes, before.len()) } else { (StopReason::End, text.len()) };
        assert_eq!(stop(&text), expected, "{before}");
    }
    assert_eq!(stop(&format!("<a{}>", attributes(100))).0, StopReason::End);
    assert_eq!(
        stop(&format!("<script></script{}>", attributes(101))),
        (StopReason::TooManyAttributes, "<script>".len())
    );
    assert_eq!(
        stop(&format!("<a{}", attributes(101))),
        (StopReason::TooManyAttributes, 0),
        "a tag that never ends"
    );
}
