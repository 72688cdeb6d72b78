//! Builds the document tree by the algorithm of the HTML standard, with scripting off, within bounds.
//!
//! The algorithm searches the stack of open elements and the list of active formatting elements at nearly every tag.
//! It also reopens the formatting elements in every new paragraph. On a page that opens elements and never closes
//! them, that takes quadratic time or memory. Browsers bound the depth of a document (Chromium: 512), and so does
//! this module:
//!
//! * While those two lists hold `parse.max_open_elements`, start tags are dropped, each with one later end tag of its
//!   name. Their text and content still go into the tree, under the innermost element kept. Tags that matter to the
//!   links, and those whose content is raw text, are kept up to twice that number.
//! * Once the tree holds `parse.max_nodes` nodes, the rest of the document is dropped.
//!
//! Neither bound affects an ordinary page.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use encoding_rs::Encoding;
use hashbrown::HashMap;
use html5ever::LocalName;
use html5ever::interface::Tracer;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{EOFToken, EndTag, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink as _};

use super::node::{NodeRef, Nodes};
use super::sink::Sink;
use crate::config::ParseConfig;
use crate::encoding::encoding_of_label;
use crate::parse::tokenizer::{StopReason, Tokenizer};

/// Strings of html5ever hold less than 4 GiB.
const MAX_TEXT_BYTES: usize = 1 << 31;

/// Start tags kept beyond the first bound: links, other elements that are extracted, templates (whose links do not
/// count), and elements whose content is text.
const PRIORITY_TAGS: [&str; 18] = [
    "a", "area", "base", "frame", "iframe", "ilayer", "img", "layer", "link", "meta", "noembed", "noframes",
    "script", "style", "template", "textarea", "title", "xmp",
];

/// The tree of a document.
pub(crate) struct Tree<'a> {
    pub document: NodeRef<'a>,
    /// Whether the rest of the document was dropped because it exceeds `parse.max_nodes` or `parse.max_attributes`.
    pub cut: bool,
}

/// The document declares another encoding than the one it was decoded with.
#[derive(Debug)]
pub(crate) struct EncodingChanged(pub &'static Encoding);

/// Builds the tree from nodes in an arena. `tentative` is a guessed encoding, which the first encoding declared by a
/// `meta` confirms or replaces.
pub(crate) fn build<'a>(
    text: &str,
    config: &ParseConfig,
    tentative: Option<&'static Encoding>,
    nodes: &'a Nodes<'a>,
) -> Result<Tree<'a>, EncodingChanged> {
    let text = normalize_newlines(&text[..text.floor_char_boundary(MAX_TEXT_BYTES)]);
    let mut tokenizer = Tokenizer::new(&text, config.max_attributes, BoundedSink::new(config, nodes));
    let mut tentative = tentative;
    let too_many_attributes = loop {
        match tokenizer.run() {
            StopReason::End => break false,
            StopReason::TooManyAttributes => break true,
            StopReason::Encoding(label) => {
                let Some(declared) = encoding_of_label(label.trim().as_bytes()) else { continue };
                if tentative.take().is_some_and(|guess| guess != declared) {
                    return Err(EncodingChanged(declared));
                }
            }
        }
    };
    let sink = tokenizer.finish();
    Ok(Tree { cut: too_many_attributes || sink.cut.get(), document: sink.builder.sink.finish() })
}

/// The standard's "normalize newlines".
pub(crate) fn normalize_newlines(text: &str) -> StrTendril {
    let mut lines = text.split('\r');
    let mut unix = StrTendril::from_slice(lines.next().unwrap_or_default());
    for line in lines {
        if !line.starts_with('\n') {
            unix.push_char('\n');
        }
        unix.push_slice(line);
    }
    unix
}

/// A filter between the tokenizer and the tree builder that drops what exceeds the bounds.
struct BoundedSink<'a> {
    builder: TreeBuilder<NodeRef<'a>, Sink<'a>>,
    max_open: usize,
    max_nodes: usize,
    /// Upper bound of the open elements: the last count, plus every node created since.
    open_at_most: Cell<usize>,
    /// Number of nodes when `open_at_most` was last updated.
    nodes: Cell<usize>,
    /// Whether the builder has seen a token since the last count of open elements.
    open_count_is_stale: Cell<bool>,
    /// Dropped start tags whose end tag has not come yet, counted by name.
    left_out: RefCell<HashMap<LocalName, usize>>,
    cut: Cell<bool>,
}

impl<'a> BoundedSink<'a> {
    fn new(config: &ParseConfig, nodes: &'a Nodes<'a>) -> Self {
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            builder: TreeBuilder::new(Sink::new(nodes), options),
            max_open: config.max_open_elements,
            max_nodes: config.max_nodes,
            open_at_most: Cell::new(0),
            nodes: Cell::new(0),
            open_count_is_stale: Cell::new(true),
            left_out: RefCell::default(),
            cut: Cell::new(false),
        }
    }

    fn drops(&self, tag: &Tag) -> bool {
        match tag.kind {
            StartTag if self.has_room(&tag.name) => false,
            StartTag => {
                *self.left_out.borrow_mut().entry(tag.name.clone()).or_default() += 1;
                true
            }
            EndTag => {
                let mut left_out = self.left_out.borrow_mut();
                let Some(count) = left_out.get_mut(&tag.name) else { return false };
                *count -= 1;
                if *count == 0 {
                    left_out.remove(&tag.name);
                }
                true
            }
        }
    }

    fn has_room(&self, name: &str) -> bool {
        if self.open_at_most.get() < self.max_open {
            return true;
        }
        if self.open_count_is_stale.replace(false) {
            self.open_at_most.set(self.count_open());
        }
        let open = self.open_at_most.get();
        open < self.max_open || (open < 2 * self.max_open && PRIORITY_TAGS.contains(&name))
    }

    /// Counts the open and the active formatting elements, and the few other nodes that the builder holds.
    fn count_open(&self) -> usize {
        let counter = Counter { count: Cell::new(0), nodes: PhantomData };
        self.builder.trace_handles(&counter);
        counter.count.get()
    }
}

impl<'a> TokenSink for BoundedSink<'a> {
    type Handle = NodeRef<'a>;

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<NodeRef<'a>> {
        match &token {
            _ if self.cut.get() && token != EOFToken => return TokenSinkResult::Continue,
            TagToken(tag) if self.drops(tag) => return TokenSinkResult::Continue,
            _ => {}
        }
        let result = self.builder.process_token(token, line_number);
        let nodes = self.builder.sink.node_count();
        self.open_at_most.set(self.open_at_most.get() + nodes - self.nodes.replace(nodes));
        self.open_count_is_stale.set(true);
        self.cut.set(self.cut.get() || nodes > self.max_nodes);
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

struct Counter<'a> {
    count: Cell<usize>,
    nodes: PhantomData<NodeRef<'a>>,
}

impl<'a> Tracer for Counter<'a> {
    type Handle = NodeRef<'a>;

    fn trace_handle(&self, _: &NodeRef<'a>) {
        self.count.set(self.count.get() + 1);
    }
}
