//! The nodes of a document tree.
//!
//! Nodes live in an arena for the duration of one parse, and refer to each other by plain references. They keep only
//! what a link index needs: names, the attributes that the tokenizer kept, and text. A comment or a doctype is an
//! empty node, which separates the texts before and after it.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, local_name, ns};
use typed_arena::Arena;

/// A node of the arena.
pub(crate) type NodeRef<'a> = &'a Node<'a>;

/// The arena of one parse.
pub(crate) type Nodes<'a> = Arena<Node<'a>>;

type NodeLink<'a> = Cell<Option<NodeRef<'a>>>;

pub(crate) struct Node<'a> {
    /// The name of an element; empty in any other node.
    pub name: QualName,
    pub content: Content<'a>,
    parent: NodeLink<'a>,
    previous: NodeLink<'a>,
    next: NodeLink<'a>,
    first_child: NodeLink<'a>,
    last_child: NodeLink<'a>,
}

pub(crate) enum Content<'a> {
    Element(Element<'a>),
    Text(RefCell<StrTendril>),
    /// The document, the content of a template, a comment or a doctype.
    Nothing,
}

pub(crate) struct Element<'a> {
    pub attributes: Vec<Attribute>,
    /// The content of a `template`, which is not part of the document.
    pub template_contents: Option<NodeRef<'a>>,
    /// Whether this is a MathML `annotation-xml` whose `encoding` says that it holds HTML.
    pub holds_html: bool,
}

impl<'a> Node<'a> {
    pub(crate) fn element(name: QualName, element: Element<'a>) -> Self {
        Self { name, ..Self::with(Content::Element(element)) }
    }

    pub(crate) fn text(text: StrTendril) -> Self {
        Self::with(Content::Text(RefCell::new(text)))
    }

    pub(crate) fn nothing() -> Self {
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

    pub(crate) fn parent(&self) -> Option<NodeRef<'a>> {
        self.parent.get()
    }

    pub(crate) fn previous(&self) -> Option<NodeRef<'a>> {
        self.previous.get()
    }

    pub(crate) fn next(&self) -> Option<NodeRef<'a>> {
        self.next.get()
    }

    pub(crate) fn first_child(&self) -> Option<NodeRef<'a>> {
        self.first_child.get()
    }

    pub(crate) fn last_child(&self) -> Option<NodeRef<'a>> {
        self.last_child.get()
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    pub(crate) fn as_element(&self) -> Option<&Element<'a>> {
        match &self.content {
            Content::Element(element) => Some(element),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&RefCell<StrTendril>> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Removes the node, with its content, from its parent.
    pub(crate) fn detach(&self) {
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
    pub(crate) fn append(&'a self, child: NodeRef<'a>) {
        child.detach();
        child.parent.set(Some(self));
        child.previous.set(self.last_child.replace(Some(child)));
        match child.previous.get() {
            Some(previous) => previous.next.set(Some(child)),
            None => self.first_child.set(Some(child)),
        }
    }

    /// Inserts a node right before this one. Without a parent, this does nothing.
    pub(crate) fn insert_before(&'a self, node: NodeRef<'a>) {
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
    pub(crate) fn attribute(&self, name: &LocalName) -> Option<&str> {
        self.find(|key| key.local == *name && key.ns == ns!())
    }

    /// The value of `xlink:href`.
    pub(crate) fn xlink_href(&self) -> Option<&str> {
        self.find(|key| key.local == local_name!("href") && key.ns == ns!(xlink))
    }

    fn find(&self, wanted: impl Fn(&QualName) -> bool) -> Option<&str> {
        self.attributes.iter().find(|attribute| wanted(&attribute.name)).map(|attribute| &*attribute.value)
    }
}
