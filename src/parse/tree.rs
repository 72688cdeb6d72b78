//! A document's tree, built by the HTML standard's algorithm with scripting off, within bounds.
//!
//! The algorithm searches the stack of open elements and the list of active formatting elements at nearly every
//! tag, and puts the formatting elements left open into every new paragraph. On a page that opens and never closes
//! that is quadratic in time or in memory. Browsers bound the depth of a document (Chromium: 512); so does this:
//!
//! * While `parse.max_open_elements` stand in those two, start tags are left out, and with each of them one later
//!   end tag of its name. Their text and what they hold still goes into the tree, under the innermost element that
//!   was let in. Tags that matter to the links (and those whose content is no markup) are let in up to twice that
//!   number.
//! * Once the tree holds `parse.max_nodes` nodes, everything that follows is left out.
//!
//! Neither touches an ordinary page.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use ahash::AHashMap;
use encoding_rs::Encoding;
use html5ever::LocalName;
use html5ever::interface::Tracer;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{EOFToken, EndTag, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink as _};

use super::node::{NodeRef, Nodes};
use super::sink::Sink;
use super::tokenizer::{Stop, Tokenizer};
use crate::config::ParseConfig;
use crate::encoding::of_markup_label;

/// html5ever's strings hold less than 4 GiB.
const MOST_TEXT: usize = 1 << 31;

/// Start tags that are let in beyond the first bound: links, what else is read from a page, templates (whose links
/// do not count), and elements whose content is text.
const FAVOURED: [&str; 18] = [
    "a", "area", "base", "frame", "iframe", "ilayer", "img", "layer", "link", "meta", "noembed", "noframes",
    "script", "style", "template", "textarea", "title", "xmp",
];

/// A document's tree.
pub(super) struct Tree<'a> {
    pub(super) document: NodeRef<'a>,
    /// Whether the rest of the document was left out, because it went beyond `parse.max_nodes` or
    /// `parse.max_attributes`.
    pub(super) cut: bool,
}

/// The document names another encoding than the one it was decoded with.
#[derive(Debug)]
pub(super) struct Redeclared(pub(super) &'static Encoding);

/// Builds the tree out of nodes in an arena. With `tentative`, the encoding that was only guessed, the first encoding
/// that a `meta` names settles it.
pub(super) fn build<'a>(
    text: &str,
    config: &ParseConfig,
    tentative: Option<&'static Encoding>,
    nodes: &'a Nodes<'a>,
) -> Result<Tree<'a>, Redeclared> {
    let text = unix_lines(&text[..text.floor_char_boundary(MOST_TEXT)]);
    let mut tokenizer = Tokenizer::new(&text, config.max_attributes, Bounded::new(config, nodes));
    let mut tentative = tentative;
    let flooded = loop {
        match tokenizer.run() {
            Stop::End => break false,
            Stop::Flood => break true,
            Stop::Encoding(label) => {
                let Some(declared) = of_markup_label(label.trim().as_bytes()) else { continue };
                if tentative.take().is_some_and(|guess| guess != declared) {
                    return Err(Redeclared(declared));
                }
            }
        }
    };
    let sink = tokenizer.finish();
    Ok(Tree { cut: flooded || sink.cut.get(), document: sink.builder.sink.finish() })
}

/// The standard's "normalize newlines".
pub(super) fn unix_lines(text: &str) -> StrTendril {
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

/// Stands between tokenizer and tree builder and withholds what goes beyond the bounds.
struct Bounded<'a> {
    builder: TreeBuilder<NodeRef<'a>, Sink<'a>>,
    max_open: usize,
    max_nodes: usize,
    /// Elements open at most: the number counted last, plus every node made since.
    open_at_most: Cell<usize>,
    /// Nodes of the tree when `open_at_most` was brought up to date.
    nodes: Cell<usize>,
    /// Whether the builder has seen a token since the open elements were counted.
    stale: Cell<bool>,
    /// Start tags left out whose end tag has not come yet.
    left_out: RefCell<AHashMap<LocalName, usize>>,
    cut: Cell<bool>,
}

impl<'a> Bounded<'a> {
    fn new(config: &ParseConfig, nodes: &'a Nodes<'a>) -> Self {
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            builder: TreeBuilder::new(Sink::new(nodes), options),
            max_open: config.max_open_elements,
            max_nodes: config.max_nodes,
            open_at_most: Cell::new(0),
            nodes: Cell::new(0),
            stale: Cell::new(true),
            left_out: RefCell::default(),
            cut: Cell::new(false),
        }
    }

    fn withholds(&self, tag: &Tag) -> bool {
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
        if self.stale.replace(false) {
            self.open_at_most.set(self.count_open());
        }
        let open = self.open_at_most.get();
        open < self.max_open || (open < 2 * self.max_open && FAVOURED.contains(&name))
    }

    /// Counts the open and the active formatting elements (and the few others the builder holds on to).
    fn count_open(&self) -> usize {
        let counter = Counter { count: Cell::new(0), nodes: PhantomData };
        self.builder.trace_handles(&counter);
        counter.count.get()
    }
}

impl<'a> TokenSink for Bounded<'a> {
    type Handle = NodeRef<'a>;

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<NodeRef<'a>> {
        match &token {
            _ if self.cut.get() && token != EOFToken => return TokenSinkResult::Continue,
            TagToken(tag) if self.withholds(tag) => return TokenSinkResult::Continue,
            _ => {}
        }
        let result = self.builder.process_token(token, line_number);
        let nodes = self.builder.sink.node_count();
        self.open_at_most.set(self.open_at_most.get() + nodes - self.nodes.replace(nodes));
        self.stale.set(true);
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
