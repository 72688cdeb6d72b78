//! One walk over a document's tree, in document order, that collects what a page is known by.
//!
//! Anchors can hold each other (in tables, or in SVG). Their texts are parts of one text that grows along the walk,
//! so that a text node is read once, however many anchors hold it.

use ego_tree::{NodeId, NodeRef};
use html5ever::{LocalName, local_name, ns};
use scraper::Node;
use scraper::node::Element;

use super::text::{Collapsed, collapse};
use super::tree::Tree;
use super::{directives, refresh};
use crate::config::ParseConfig;
use crate::model::{Directives, LinkTag, Rel};

/// What a document says, unresolved.
#[derive(Default)]
pub(super) struct Findings<'t> {
    /// `href` of the first `base` that has one.
    pub(super) base_href: Option<&'t str>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) directives: Directives,
    /// Every `link rel=canonical`, in document order.
    pub(super) canonicals: Vec<&'t str>,
    /// In document order.
    pub(super) references: Vec<Reference<'t>>,
}

/// An element that would be a link, if its URL leads anywhere.
pub(super) struct Reference<'t> {
    pub(super) url: &'t str,
    pub(super) tag: LinkTag,
    pub(super) rel: Rel,
    pub(super) anchor: String,
}

/// Walks over a document.
pub(super) fn walk<'t>(tree: &'t Tree, config: &ParseConfig, user_agent_token: &str) -> Findings<'t> {
    let mut walker = Walker {
        config,
        user_agent_token,
        findings: Findings::default(),
        anchors: Vec::new(),
        text: Collapsed::default(),
        alts: Collapsed::default(),
        images: 0,
    };
    let mut node = tree.html.tree.root();
    loop {
        if walker.enter(node)
            && let Some(child) = node.first_child()
        {
            node = child;
            continue;
        }
        loop {
            walker.leave(node);
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return walker.findings,
            }
        }
    }
}

struct Walker<'t, 'c> {
    config: &'c ParseConfig,
    user_agent_token: &'c str,
    findings: Findings<'t>,
    /// The anchors that hold the current node, outermost first.
    anchors: Vec<OpenAnchor>,
    /// The text since the outermost open anchor began.
    text: Collapsed,
    /// The `alt`s of the images since then.
    alts: Collapsed,
    /// The number of images so far.
    images: usize,
}

/// An `a` with `href` whose end has not been reached.
struct OpenAnchor {
    node: NodeId,
    /// Its place in [`Findings::references`].
    reference: usize,
    text_start: usize,
    alts_start: usize,
    images_before: usize,
}

impl<'t> Walker<'t, '_> {
    /// Takes a node up. Whether its children are to be walked.
    fn enter(&mut self, node: NodeRef<'t, Node>) -> bool {
        match node.value() {
            Node::Text(text) if !self.anchors.is_empty() => self.text.push(text),
            Node::Element(element) if element.name.ns == ns!(html) => self.html_element(node, element),
            Node::Element(element) if is_svg_anchor(element) => {
                let href = attribute(element, &local_name!("href")).or_else(|| xlink_href(element));
                self.open_anchor(node, element, href);
            }
            // The contents of a template are no part of the document.
            Node::Fragment => return false,
            _ => {}
        }
        true
    }

    fn leave(&mut self, node: NodeRef<'t, Node>) {
        let Some(anchor) = self.anchors.pop_if(|anchor| anchor.node == node.id()) else { return };
        let most = self.config.max_anchor_chars;
        let reference = &mut self.findings.references[anchor.reference];
        reference.anchor = self.text.since(anchor.text_start, most);
        if self.images > anchor.images_before {
            reference.tag = LinkTag::Aimg;
            if reference.anchor.is_empty() {
                reference.anchor = self.alts.since(anchor.alts_start, most);
            }
        }
        if self.anchors.is_empty() {
            self.text.clear();
            self.alts.clear();
        }
    }

    fn html_element(&mut self, node: NodeRef<'t, Node>, element: &'t Element) {
        match &*element.name.local {
            "a" => self.open_anchor(node, element, attribute(element, &local_name!("href"))),
            "area" => {
                let href = attribute(element, &local_name!("href"));
                self.add(href, LinkTag::Area, rel(element), attribute(element, &local_name!("alt")));
            }
            "iframe" => self.add_frame(element, LinkTag::Iframe),
            "frame" => self.add_frame(element, LinkTag::Frame),
            "layer" => self.add_frame(element, LinkTag::Layer),
            "ilayer" => self.add_frame(element, LinkTag::Ilayer),
            "img" => self.image(element),
            "meta" => self.meta(element),
            "link" => self.link(element),
            "base" if self.findings.base_href.is_none() => {
                self.findings.base_href = attribute(element, &local_name!("href"));
            }
            "title" if self.findings.title.is_none() => self.title(node),
            _ => {}
        }
    }

    fn open_anchor(&mut self, node: NodeRef<'t, Node>, element: &'t Element, href: Option<&'t str>) {
        if href.is_none() {
            return;
        }
        self.anchors.push(OpenAnchor {
            node: node.id(),
            reference: self.findings.references.len(),
            text_start: self.text.len(),
            alts_start: self.alts.len(),
            images_before: self.images,
        });
        // Tag and text are settled when the anchor is left.
        self.add(href, LinkTag::A, rel(element), None);
    }

    fn add_frame(&mut self, element: &'t Element, tag: LinkTag) {
        let src = attribute(element, &local_name!("src"));
        self.add(src, tag, Rel::NONE, attribute(element, &local_name!("title")));
    }

    fn add(&mut self, url: Option<&'t str>, tag: LinkTag, rel: Rel, text: Option<&str>) {
        let Some(url) = url else { return };
        let anchor = collapse(text, self.config.max_anchor_chars);
        self.findings.references.push(Reference { url, tag, rel, anchor });
    }

    fn image(&mut self, element: &'t Element) {
        self.images += 1;
        if !self.anchors.is_empty()
            && let Some(alt) = attribute(element, &local_name!("alt"))
        {
            self.alts.push(alt);
            self.alts.push(" ");
        }
    }

    fn meta(&mut self, element: &'t Element) {
        let Some(content) = attribute(element, &local_name!("content")) else { return };
        let equivalent = attribute(element, &local_name!("http-equiv")).unwrap_or_default();
        if equivalent.eq_ignore_ascii_case("refresh") {
            self.add(refresh::reference(content), LinkTag::Refresh, Rel::NONE, None);
        }
        let name = attribute(element, &local_name!("name")).unwrap_or_default().trim_ascii();
        if directives::names_us(name, self.user_agent_token) {
            self.findings.directives = directives::with_meta(self.findings.directives, content);
        } else if name.eq_ignore_ascii_case("description") && self.findings.description.is_none() {
            self.findings.description = Some(collapse([content], self.config.max_description_chars));
        }
    }

    fn link(&mut self, element: &'t Element) {
        let relations = attribute(element, &local_name!("rel")).unwrap_or_default();
        let is_canonical = relations.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("canonical"));
        let href = attribute(element, &local_name!("href")).filter(|href| !href.is_empty());
        if is_canonical {
            self.findings.canonicals.extend(href);
        }
    }

    fn title(&mut self, node: NodeRef<'t, Node>) {
        let texts = node.children().filter_map(|child| child.value().as_text()).map(|text| &**text);
        self.findings.title = Some(collapse(texts, self.config.max_title_chars));
    }
}

fn is_svg_anchor(element: &Element) -> bool {
    element.name.ns == ns!(svg) && element.name.local == local_name!("a")
}

fn attribute<'t>(element: &'t Element, name: &LocalName) -> Option<&'t str> {
    let mut attributes = element.attrs.iter();
    attributes.find(|(key, _)| key.local == *name && key.ns == ns!()).map(|(_, value)| &**value)
}

fn xlink_href(element: &Element) -> Option<&str> {
    let mut attributes = element.attrs.iter();
    attributes
        .find(|(key, _)| key.local == local_name!("href") && key.ns == ns!(xlink))
        .map(|(_, value)| &**value)
}

fn rel(element: &Element) -> Rel {
    attribute(element, &local_name!("rel")).map_or(Rel::NONE, Rel::from_attribute)
}
