//! The nodes of a document's tree, and where they hang.
//!
//! Nodes live in an arena, as long as the parse they were made for, and know each other by plain references. Only
//! what a link index asks for is kept of them: names, the attributes the tokenizer let through, text. A comment or a
//! doctype is a node without anything, which keeps the texts at its sides apart.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, local_name, ns};
use typed_arena::Arena;

/// A node of the arena.
pub(super) type NodeRef<'a> = &'a Node<'a>;

/// Where the nodes of one parse live.
pub(super) type Nodes<'a> = Arena<Node<'a>>;

type Link<'a> = Cell<Option<NodeRef<'a>>>;

pub(super) struct Node<'a> {
    /// Of an element; empty in any other node.
    pub(super) name: QualName,
    pub(super) content: Content<'a>,
    parent: Link<'a>,
    previous: Link<'a>,
    next: Link<'a>,
    first_child: Link<'a>,
    last_child: Link<'a>,
}

pub(super) enum Content<'a> {
    Element(Element<'a>),
    Text(RefCell<StrTendril>),
    /// The document, a template's contents, a comment, a doctype.
    Nothing,
}

pub(super) struct Element<'a> {
    pub(super) attributes: Vec<Attribute>,
    /// What a `template` holds, which is no part of the document.
    pub(super) template_contents: Option<NodeRef<'a>>,
    /// Whether this is an `annotation-xml` of MathML whose `encoding` says that it holds HTML.
    pub(super) holds_html: bool,
}

impl<'a> Node<'a> {
    pub(super) fn element(name: QualName, element: Element<'a>) -> Self {
        Self { name, ..Self::with(Content::Element(element)) }
    }

    pub(super) fn text(text: StrTendril) -> Self {
        Self::with(Content::Text(RefCell::new(text)))
    }

    pub(super) fn nothing() -> Self {
        Self::with(Content::Nothing)
    }

    fn with(content: Content<'a>) -> Self {
        Self {
            name: QualName::new(None, ns!(), local_name!("")),
            content,
            parent: Cell::default(),
            previous: Cell::default(),
            next: Cell::default(),
            first_child: Cell::default(),
            last_child: Cell::default(),
        }
    }

    pub(super) fn parent(&self) -> Option<NodeRef<'a>> {
        self.parent.get()
    }

    pub(super) fn previous(&self) -> Option<NodeRef<'a>> {
        self.previous.get()
    }

    pub(super) fn next(&self) -> Option<NodeRef<'a>> {
        self.next.get()
    }

    pub(super) fn first_child(&self) -> Option<NodeRef<'a>> {
        self.first_child.get()
    }

    pub(super) fn last_child(&self) -> Option<NodeRef<'a>> {
        self.last_child.get()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    pub(super) fn as_element(&self) -> Option<&Element<'a>> {
        match &self.content {
            Content::Element(element) => Some(element),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&RefCell<StrTendril>> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes the node, and what it holds, out of its parent.
    pub(super) fn detach(&self) {
        let (previous, next) = (self.previous.take(), self.next.take());
        let Some(parent) = self.parent.take() else { return };
        match previous {
            Some(previous) => previous.next.set(next),
            None => parent.first_child.set(next),
        }
        match next {
            Some(next) => next.previous.set(previous),
            None => parent.last_child.set(previous),
        }
    }

    /// Makes a node the last child of this one.
    pub(super) fn append(&'a self, child: NodeRef<'a>) {
        child.detach();
        child.parent.set(Some(self));
        child.previous.set(self.last_child.replace(Some(child)));
        match child.previous.get() {
            Some(previous) => previous.next.set(Some(child)),
            None => self.first_child.set(Some(child)),
        }
    }

    /// Puts a node right before this one; nowhere, when this one hangs nowhere.
    pub(super) fn insert_before(&'a self, node: NodeRef<'a>) {
        node.detach();
        let Some(parent) = self.parent.get() else { return };
        node.parent.set(Some(parent));
        node.next.set(Some(self));
        node.previous.set(self.previous.replace(Some(node)));
        match node.previous.get() {
            Some(previous) => previous.next.set(Some(node)),
            None => parent.first_child.set(Some(node)),
        }
    }
}

impl Element<'_> {
    /// The value of an attribute without a namespace.
    pub(super) fn attribute(&self, name: &LocalName) -> Option<&str> {
        self.find(|key| key.local == *name && key.ns == ns!())
    }

    /// The value of `xlink:href`.
    pub(super) fn xlink_href(&self) -> Option<&str> {
        self.find(|key| key.local == local_name!("href") && key.ns == ns!(xlink))
    }

    fn find(&self, wanted: impl Fn(&QualName) -> bool) -> Option<&str> {
        self.attributes.iter().find(|attribute| wanted(&attribute.name)).map(|attribute| &*attribute.value)
    }
}
