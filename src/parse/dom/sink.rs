//! The tree sink of html5ever: creates arena nodes that hold only what the tree walk reads.

use std::borrow::Cow;
use std::cell::Cell;

use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};

use super::node::{Element, Node, NodeRef, Nodes};

pub(crate) struct Sink<'a> {
    nodes: &'a Nodes<'a>,
    document: NodeRef<'a>,
    node_count: Cell<usize>,
}

impl<'a> Sink<'a> {
    /// An empty document.
    pub(crate) fn new(nodes: &'a Nodes<'a>) -> Self {
        Self { nodes, document: nodes.alloc(Node::nothing()), node_count: Cell::new(1) }
    }

    /// Number of nodes created so far, whether or not they are still in the tree.
    pub(crate) fn node_count(&self) -> usize {
        self.node_count.get()
    }

    fn make(&self, node: Node<'a>) -> NodeRef<'a> {
        self.node_count.set(self.node_count.get() + 1);
        self.nodes.alloc(node)
    }
}

/// Appends text to a text node directly before it; returns the text when there is none.
fn joined(before: Option<NodeRef<'_>>, text: StrTendril) -> Option<StrTendril> {
    match before.and_then(Node::as_text) {
        Some(before) => {
            before.borrow_mut().push_tendril(&text);
            None
        }
        None => Some(text),
    }
}

impl<'a> TreeSink for Sink<'a> {
    type Handle = NodeRef<'a>;
    type Output = NodeRef<'a>;
    type ElemName<'n>
        = &'n QualName
    where
        Self: 'n;

    /// The document.
    fn finish(self) -> NodeRef<'a> {
        self.document
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> NodeRef<'a> {
        self.document
    }

    fn elem_name<'n>(&'n self, target: &'n NodeRef<'a>) -> &'n QualName {
        &target.name
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeRef<'a> {
        let template_contents = flags.template.then(|| self.make(Node::nothing()));
        let holds_html = flags.mathml_annotation_xml_integration_point;
        self.make(Node::element(name, Element { attributes, template_contents, holds_html }))
    }

    fn create_comment(&self, _: StrTendril) -> NodeRef<'a> {
        self.make(Node::nothing())
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> NodeRef<'a> {
        self.make(Node::nothing())
    }

    fn append(&self, parent: &NodeRef<'a>, child: NodeOrText<NodeRef<'a>>) {
        match child {
            NodeOrText::AppendNode(node) => parent.append(node),
            NodeOrText::AppendText(text) => {
                if let Some(text) = joined(parent.last_child(), text) {
                    parent.append(self.make(Node::text(text)));
                }
            }
        }
    }

    fn append_based_on_parent_node(
        &self,
        element: &NodeRef<'a>,
        previous: &NodeRef<'a>,
        child: NodeOrText<NodeRef<'a>>,
    ) {
        if element.parent().is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {
        self.document.append(self.make(Node::nothing()));
    }

    fn get_template_contents(&self, target: &NodeRef<'a>) -> NodeRef<'a> {
        target.as_element().and_then(|element| element.template_contents).unwrap_or(target)
    }

    fn same_node(&self, a: &NodeRef<'a>, b: &NodeRef<'a>) -> bool {
        a.is(b)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &NodeRef<'a>, child: NodeOrText<NodeRef<'a>>) {
        match child {
            NodeOrText::AppendNode(node) => sibling.insert_before(node),
            NodeOrText::AppendText(text) => {
                if let Some(text) = joined(sibling.previous(), text) {
                    sibling.insert_before(self.make(Node::text(text)));
                }
            }
        }
    }

    /// Late attributes belong to `html` and `body`, whose attributes are never read.
    fn add_attrs_if_missing(&self, _: &NodeRef<'a>, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &NodeRef<'a>) {
        target.detach();
    }

    fn reparent_children(&self, node: &NodeRef<'a>, new_parent: &NodeRef<'a>) {
        while let Some(child) = node.first_child() {
            new_parent.append(child);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, element: &NodeRef<'a>) -> bool {
        element.as_element().is_some_and(|element| element.holds_html)
    }
}
