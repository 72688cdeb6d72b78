//! One walk over the document tree, in document order, that collects the facts about a page.

use html5ever::{local_name, ns};

use super::anchors::{ExclusionKind, OpenAnchors, is_block};
use super::text::{anchor_text, collapse};
use super::{directives, refresh};
use crate::config::ParseConfig;
use crate::model::{Directives, LinkTag, Rel};
use crate::parse::dom::node::{Content, Element, NodeRef};

/// The facts found, with references still unresolved.
#[derive(Default)]
pub(crate) struct PageFindings<'t> {
    /// `href` of the first `base` that has one.
    pub base_href: Option<&'t str>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub directives: Directives,
    /// Every `link rel=canonical`, in document order.
    pub canonicals: Vec<&'t str>,
    /// In document order.
    pub references: Vec<Reference<'t>>,
    /// Whether anchor texts were dropped because they exceed the byte limit.
    pub cut: bool,
}

/// An element that becomes a link if its URL can be resolved.
pub(crate) struct Reference<'t> {
    pub url: &'t str,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: String,
}

/// Walks over a document.
pub(crate) fn walk<'t>(
    document: NodeRef<'t>,
    config: &ParseConfig,
    user_agent_token: &str,
) -> PageFindings<'t> {
    let mut walker = Walker {
        config,
        user_agent_token,
        findings: PageFindings::default(),
        anchors: OpenAnchors::default(),
        bytes_left: config.max_links_bytes,
    };
    let mut node = document;
    loop {
        walker.enter(node);
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        loop {
            walker.leave(node);
            if let Some(next) = node.next() {
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
    findings: PageFindings<'t>,
    anchors: OpenAnchors<'t>,
    /// Remaining bytes for anchor texts. Each of several nested anchors has the whole text.
    bytes_left: usize,
}

impl<'t> Walker<'t, '_> {
    fn enter(&mut self, node: NodeRef<'t>) {
        match &node.content {
            Content::Text(text) if !self.anchors.is_empty() => self.anchors.push_text(&text.borrow()),
            Content::Element(element) if node.name.ns == ns!(html) => self.html_element(node, element),
            Content::Element(element) if node.name.ns == ns!(svg) && node.name.local == local_name!("a") => {
                let href = element.attribute(&local_name!("href")).or_else(|| element.xlink_href());
                self.open_anchor(node, element, href);
            }
            Content::Element(_) if !self.anchors.is_empty() && is_hidden(&node.name.local) => {
                self.anchors.exclude(node, ExclusionKind::Hidden);
            }
            _ => {}
        }
    }

    fn leave(&mut self, node: NodeRef<'t>) {
        if self.anchors.is_empty() {
            return;
        }
        let max_chars = if self.bytes_left > 0 { self.config.max_anchor_chars } else { 0 };
        match self.anchors.leave(node, max_chars) {
            Some(closed) => {
                let reference = &mut self.findings.references[closed.reference];
                if closed.holds_image {
                    reference.tag = LinkTag::Aimg;
                }
                reference.anchor = closed.text;
                self.bytes_left = self.bytes_left.saturating_sub(reference.anchor.len());
                self.findings.cut |= self.bytes_left == 0;
            }
            None if node.name.ns == ns!(html) && is_block(&node.name.local) => self.anchors.push_blank(),
            None => {}
        }
    }

    fn html_element(&mut self, node: NodeRef<'t>, element: &'t Element<'t>) {
        match &*node.name.local {
            "a" => self.open_anchor(node, element, element.attribute(&local_name!("href"))),
            "area" => {
                let href = element.attribute(&local_name!("href"));
                self.push_reference(
                    href,
                    LinkTag::Area,
                    rel_of(element),
                    element.attribute(&local_name!("alt")),
                );
            }
            "iframe" => self.push_frame(element, LinkTag::Iframe),
            "frame" => self.push_frame(element, LinkTag::Frame),
            "layer" => self.push_frame(element, LinkTag::Layer),
            "ilayer" => self.push_frame(element, LinkTag::Ilayer),
            "img" if !self.anchors.is_empty() => {
                self.anchors.push_image(element.attribute(&local_name!("alt")));
            }
            "meta" => self.read_meta(element),
            "link" => self.read_link(element),
            "base" if self.findings.base_href.is_none() => {
                self.findings.base_href = element.attribute(&local_name!("href"));
            }
            "title" if self.findings.title.is_none() => self.read_title(node),
            _ if self.anchors.is_empty() => {}
            "br" => self.anchors.push_blank(),
            "noscript" => self.anchors.exclude(node, ExclusionKind::NoScript),
            name if is_hidden(name) => self.anchors.exclude(node, ExclusionKind::Hidden),
            name if is_block(name) => self.anchors.push_blank(),
            _ => {}
        }
    }

    fn open_anchor(&mut self, node: NodeRef<'t>, element: &'t Element<'t>, href: Option<&'t str>) {
        if href.is_none() {
            return;
        }
        self.anchors.open(node, self.findings.references.len());
        // Tag and text are set when the anchor ends.
        self.push_reference(href, LinkTag::A, rel_of(element), None);
    }

    fn push_frame(&mut self, element: &'t Element<'t>, tag: LinkTag) {
        let src = element.attribute(&local_name!("src"));
        self.push_reference(src, tag, Rel::NONE, element.attribute(&local_name!("title")));
    }

    fn push_reference(&mut self, url: Option<&'t str>, tag: LinkTag, rel: Rel, text: Option<&str>) {
        let Some(url) = url else { return };
        let anchor = text.map_or_else(String::new, |text| anchor_text(text, self.config.max_anchor_chars));
        self.findings.references.push(Reference { url, tag, rel, anchor });
    }

    fn read_meta(&mut self, element: &'t Element<'t>) {
        let Some(content) = element.attribute(&local_name!("content")) else { return };
        let equivalent = element.attribute(&local_name!("http-equiv")).unwrap_or_default();
        if equivalent.eq_ignore_ascii_case("refresh") {
            self.push_reference(refresh::reference(content), LinkTag::Refresh, Rel::NONE, None);
        }
        let name = element.attribute(&local_name!("name")).unwrap_or_default().trim_ascii();
        if directives::names_us(name, self.user_agent_token) {
            self.findings.directives = directives::with_meta(self.findings.directives, content);
        } else if name.eq_ignore_ascii_case("description") && self.findings.description.is_none() {
            self.findings.description = Some(collapse(content, self.config.max_description_chars));
        }
    }

    fn read_link(&mut self, element: &'t Element<'t>) {
        let relations = element.attribute(&local_name!("rel")).unwrap_or_default();
        let is_canonical = Rel::tokens(relations).any(|r| r.eq_ignore_ascii_case("canonical"));
        let href = element.attribute(&local_name!("href")).filter(|href| !href.is_empty());
        if is_canonical {
            self.findings.canonicals.extend(href);
        }
    }

    fn read_title(&mut self, node: NodeRef<'t>) {
        let mut title = String::new();
        let mut child = node.first_child();
        while let Some(node) = child {
            if let Some(text) = node.as_text() {
                title.push_str(&text.borrow());
            }
            child = node.next();
        }
        self.findings.title = Some(collapse(&title, self.config.max_title_chars));
    }
}

/// Whether an element with this name holds text that is not displayed, in HTML or in SVG.
fn is_hidden(name: &str) -> bool {
    matches!(name, "script" | "style" | "template")
}

fn rel_of(element: &Element<'_>) -> Rel {
    element.attribute(&local_name!("rel")).map_or(Rel::NONE, Rel::from_attribute)
}
