//! The tree builder's view of a [`scraper::Html`], with the one thing that scraper leaves out: MathML's
//! `annotation-xml` elements that hold HTML. Everything else is scraper's.

use std::borrow::Cow;
use std::cell::RefCell;

use ego_tree::Tree;
use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};
use rustc_hash::FxHashSet;
use scraper::{Html, HtmlTreeSink, Node};

pub(super) type Handle = <HtmlTreeSink as TreeSink>::Handle;

pub(super) struct Sink {
    html: HtmlTreeSink,
    /// The `annotation-xml` elements whose `encoding` says that they hold HTML.
    html_in_math: RefCell<FxHashSet<Handle>>,
}

impl Sink {
    /// An empty document with room for this many nodes.
    pub(super) fn with_room_for(nodes: usize) -> Self {
        let mut html = Html::new_document();
        html.tree = Tree::with_capacity(Node::Document, nodes);
        Self { html: HtmlTreeSink::new(html), html_in_math: RefCell::default() }
    }

    /// Every node made so far, whether or not it is still in the tree.
    pub(super) fn node_count(&self) -> usize {
        self.html.0.borrow().tree.values().len()
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Html;
    type ElemName<'a> = <HtmlTreeSink as TreeSink>::ElemName<'a>;

    fn finish(self) -> Html {
        self.html.finish()
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.html.parse_error(message);
    }

    fn get_document(&self) -> Handle {
        self.html.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Self::ElemName<'a> {
        self.html.elem_name(target)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let holds_html = flags.mathml_annotation_xml_integration_point;
        let element = self.html.create_element(name, attributes, flags);
        if holds_html {
            self.html_in_math.borrow_mut().insert(element);
        }
        element
    }

    fn is_mathml_annotation_xml_integration_point(&self, element: &Handle) -> bool {
        self.html_in_math.borrow().contains(element)
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.html.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        self.html.create_pi(target, data)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.html.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        self.html.append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public_id: StrTendril, system_id: StrTendril) {
        self.html.append_doctype_to_document(name, public_id, system_id);
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        self.html.get_template_contents(target)
    }

    fn same_node(&self, a: &Handle, b: &Handle) -> bool {
        self.html.same_node(a, b)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.html.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &Handle, node: NodeOrText<Handle>) {
        self.html.append_before_sibling(sibling, node);
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        self.html.add_attrs_if_missing(target, attributes);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.html.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.html.reparent_children(node, new_parent);
    }
}
