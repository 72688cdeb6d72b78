//! One walk over a document's tree, in document order, that collects what a page is known by.

use html5ever::{local_name, ns};

use super::anchors::{Anchors, AsideKind, is_block};
use super::node::{Content, Element, NodeRef};
use super::text::{anchor_text, collapse};
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
    /// Whether texts of anchors were left out, because there was no room for them.
    pub(super) cut: bool,
}

/// An element that would be a link, if its URL leads anywhere.
pub(super) struct Reference<'t> {
    pub(super) url: &'t str,
    pub(super) tag: LinkTag,
    pub(super) rel: Rel,
    pub(super) anchor: String,
}

/// Walks over a document.
pub(super) fn walk<'t>(document: NodeRef<'t>, config: &ParseConfig, user_agent_token: &str) -> Findings<'t> {
    let mut walker = Walker {
        config,
        user_agent_token,
        findings: Findings::default(),
        anchors: Anchors::default(),
        room: config.max_links_bytes,
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
    findings: Findings<'t>,
    anchors: Anchors<'t>,
    /// Bytes that the texts of further anchors may take: of anchors that hold each other, each has the whole text.
    room: usize,
}

impl<'t> Walker<'t, '_> {
    fn enter(&mut self, node: NodeRef<'t>) {
        match &node.content {
            Content::Text(text) if !self.anchors.is_empty() => self.anchors.text(&text.borrow()),
            Content::Element(element) if node.name.ns == ns!(html) => self.html_element(node, element),
            Content::Element(element) if node.name.ns == ns!(svg) && node.name.local == local_name!("a") => {
                let href = element.attribute(&local_name!("href")).or_else(|| element.xlink_href());
                self.open_anchor(node, element, href);
            }
            Content::Element(_) if !self.anchors.is_empty() && is_hidden(&node.name.local) => {
                self.anchors.aside(node, AsideKind::Hidden);
            }
            _ => {}
        }
    }

    fn leave(&mut self, node: NodeRef<'t>) {
        if self.anchors.is_empty() {
            return;
        }
        let most = if self.room > 0 { self.config.max_anchor_chars } else { 0 };
        match self.anchors.leave(node, most) {
            Some(closed) => {
                let reference = &mut self.findings.references[closed.reference];
                if closed.holds_image {
                    reference.tag = LinkTag::Aimg;
                }
                reference.anchor = closed.text;
                self.room = self.room.saturating_sub(reference.anchor.len());
                self.findings.cut |= self.room == 0;
            }
            None if node.name.ns == ns!(html) && is_block(&node.name.local) => self.anchors.blank(),
            None => {}
        }
    }

    fn html_element(&mut self, node: NodeRef<'t>, element: &'t Element<'t>) {
        match &*node.name.local {
            "a" => self.open_anchor(node, element, element.attribute(&local_name!("href"))),
            "area" => {
                let href = element.attribute(&local_name!("href"));
                self.add(href, LinkTag::Area, rel(element), element.attribute(&local_name!("alt")));
            }
            "iframe" => self.add_frame(element, LinkTag::Iframe),
            "frame" => self.add_frame(element, LinkTag::Frame),
            "layer" => self.add_frame(element, LinkTag::Layer),
            "ilayer" => self.add_frame(element, LinkTag::Ilayer),
            "img" if !self.anchors.is_empty() => self.anchors.image(element.attribute(&local_name!("alt"))),
            "meta" => self.meta(element),
            "link" => self.link(element),
            "base" if self.findings.base_href.is_none() => {
                self.findings.base_href = element.attribute(&local_name!("href"));
            }
            "title" if self.findings.title.is_none() => self.title(node),
            _ if self.anchors.is_empty() => {}
            "br" => self.anchors.blank(),
            "noscript" => self.anchors.aside(node, AsideKind::NoScript),
            name if is_hidden(name) => self.anchors.aside(node, AsideKind::Hidden),
            name if is_block(name) => self.anchors.blank(),
            _ => {}
        }
    }

    fn open_anchor(&mut self, node: NodeRef<'t>, element: &'t Element<'t>, href: Option<&'t str>) {
        if href.is_none() {
            return;
        }
        self.anchors.open(node, self.findings.references.len());
        // Tag and text are settled when the anchor is left.
        self.add(href, LinkTag::A, rel(element), None);
    }

    fn add_frame(&mut self, element: &'t Element<'t>, tag: LinkTag) {
        let src = element.attribute(&local_name!("src"));
        self.add(src, tag, Rel::NONE, element.attribute(&local_name!("title")));
    }

    fn add(&mut self, url: Option<&'t str>, tag: LinkTag, rel: Rel, text: Option<&str>) {
        let Some(url) = url else { return };
        let anchor = text.map_or_else(String::new, |text| anchor_text(text, self.config.max_anchor_chars));
        self.findings.references.push(Reference { url, tag, rel, anchor });
    }

    fn meta(&mut self, element: &'t Element<'t>) {
        let Some(content) = element.attribute(&local_name!("content")) else { return };
        let equivalent = element.attribute(&local_name!("http-equiv")).unwrap_or_default();
        if equivalent.eq_ignore_ascii_case("refresh") {
            self.add(refresh::reference(content), LinkTag::Refresh, Rel::NONE, None);
        }
        let name = element.attribute(&local_name!("name")).unwrap_or_default().trim_ascii();
        if directives::names_us(name, self.user_agent_token) {
            self.findings.directives = directives::with_meta(self.findings.directives, content);
        } else if name.eq_ignore_ascii_case("description") && self.findings.description.is_none() {
            self.findings.description = Some(collapse(content, self.config.max_description_chars));
        }
    }

    fn link(&mut self, element: &'t Element<'t>) {
        let relations = element.attribute(&local_name!("rel")).unwrap_or_default();
        let is_canonical = Rel::tokens(relations).any(|r| r.eq_ignore_ascii_case("canonical"));
        let href = element.attribute(&local_name!("href")).filter(|href| !href.is_empty());
        if is_canonical {
            self.findings.canonicals.extend(href);
        }
    }

    fn title(&mut self, node: NodeRef<'t>) {
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

/// Whether an element of this name holds text that is not shown, in HTML or in SVG.
fn is_hidden(name: &str) -> bool {
    matches!(name, "script" | "style" | "template")
}

fn rel(element: &Element<'_>) -> Rel {
    element.attribute(&local_name!("rel")).map_or(Rel::NONE, Rel::from_attribute)
}
