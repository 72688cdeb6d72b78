//! The anchors that are open at one place of a walk over a document, and their texts.
//!
//! A text is what a reader of the link reads: the texts of the nodes within, but for those in `script`, `style` and
//! `template`. Where the anchor holds an image outside its `noscript`s, these stand in for images that a script loads,
//! and are left out too. A `br` and both edges of a block element count as a blank. An anchor that holds an image and
//! has no text has the `alt`s of its images; those in a `noscript` that is left out count when the others say nothing.
//!
//! Block elements are those to which the HTML standard's rendering section (15.3, the user agent style sheet) gives
//! `display: block`, `list-item`, `table` or one of the table's parts.
//!
//! Anchors can hold each other (in tables, or in SVG). Their texts are parts of one text that grows along the walk, so
//! that a text node is read once, however many anchors hold it.

use std::ops::Range;

use super::node::NodeRef;
use super::text::{Alts, AnchorText};

#[derive(Default)]
pub(super) struct Anchors<'t> {
    /// Outermost first.
    open: Vec<OpenAnchor<'t>>,
    /// How many of them, innermost ones, have no visible character yet.
    blank: usize,
    /// The text since the outermost open anchor began.
    text: AnchorText,
    /// The `alt`s of the images since then.
    alts: Alts,
    /// The first of them that may be the former of an equal one.
    first_alt: usize,
    /// The number of images so far.
    images: usize,
    /// In the order of their beginnings, those within others included.
    asides: Vec<Aside>,
    /// The asides that hold the current node.
    open_asides: Vec<(NodeRef<'t>, usize)>,
}

/// An `a` with `href` whose end has not been reached.
struct OpenAnchor<'t> {
    node: NodeRef<'t>,
    reference: usize,
    text_start: usize,
    alts_start: usize,
    images_before: usize,
    asides_before: usize,
}

/// An element within an anchor whose text may not count.
struct Aside {
    kind: AsideKind,
    text: Range<usize>,
    alts: Range<usize>,
    images: Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum AsideKind {
    /// `noscript`, which does not count where there is an image outside it.
    NoScript,
    /// `script`, `style` or `template`, which never counts.
    Hidden,
}

/// An anchor whose end has been reached.
pub(super) struct ClosedAnchor {
    /// The number it was opened with.
    pub(super) reference: usize,
    pub(super) text: String,
    pub(super) holds_image: bool,
}

impl<'t> Anchors<'t> {
    /// Whether no anchor is open. Nothing but [`Self::open`] has an effect then.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn open(&mut self, node: NodeRef<'t>, reference: usize) {
        self.first_alt = self.alts.len();
        self.blank += 1;
        self.open.push(OpenAnchor {
            node,
            reference,
            text_start: self.text.len(),
            alts_start: self.alts.len(),
            images_before: self.images,
            asides_before: self.asides.len(),
        });
    }

    pub(super) fn text(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push(text);
        if self.blank > 0
            && let Some(visible) = self.text.first_visible(start)
        {
            let seen = self.open.len() - self.blank;
            self.open[seen..].iter_mut().for_each(|anchor| anchor.text_start = visible);
            self.blank = 0;
        }
    }

    /// What separates words as a blank does.
    pub(super) fn blank(&mut self) {
        self.text.push_blank();
    }

    pub(super) fn image(&mut self, alt: Option<&str>) {
        self.images += 1;
        if let Some(alt) = alt {
            self.alts.push(alt, self.first_alt);
        }
    }

    pub(super) fn aside(&mut self, node: NodeRef<'t>, kind: AsideKind) {
        self.open_asides.push((node, self.asides.len()));
        self.asides.push(Aside {
            kind,
            text: self.text.len()..self.text.len(),
            alts: self.alts.len()..self.alts.len(),
            images: self.images..self.images,
        });
        self.text.part();
        self.first_alt = self.alts.len();
    }

    /// Leaves a node; the anchor that it is, if it is one, with at most `most` characters of its text.
    pub(super) fn leave(&mut self, node: NodeRef<'t>, most: usize) -> Option<ClosedAnchor> {
        if let Some((_, number)) = self.open_asides.pop_if(|(aside, _)| aside.is(node)) {
            self.close_aside(number);
            return None;
        }
        let anchor = self.open.pop_if(|anchor| anchor.node.is(node))?;
        let is_blank = self.blank > 0;
        self.blank -= usize::from(is_blank);
        let holds_image = self.images > anchor.images_before;
        let is_whole = anchor.asides_before == self.asides.len();
        let mut text = match is_whole {
            true if is_blank => String::new(),
            true => self.text.since(anchor.text_start, most),
            false => self.text_without_asides(&anchor, most),
        };
        if holds_image && text.is_empty() {
            text = self.alts_of(&anchor, most);
        }
        if self.open.is_empty() {
            self.clear();
        }
        Some(ClosedAnchor { reference: anchor.reference, text, holds_image })
    }

    fn close_aside(&mut self, number: usize) {
        let aside = &mut self.asides[number];
        aside.text.end = self.text.len();
        aside.alts.end = self.alts.len();
        aside.images.end = self.images;
        self.text.part();
        self.first_alt = self.alts.len();
    }

    fn text_without_asides(&self, anchor: &OpenAnchor<'_>, most: usize) -> String {
        let without_noscript = self.has_image_outside(anchor);
        let asides = &self.asides[anchor.asides_before..];
        let left_out = asides.iter().filter(|aside| aside.kind == AsideKind::Hidden || without_noscript);
        self.text.without(anchor.text_start, left_out.map(|aside| aside.text.clone()), most)
    }

    fn alts_of(&self, anchor: &OpenAnchor<'_>, most: usize) -> String {
        let all = anchor.alts_start..self.alts.len();
        if !self.has_image_outside(anchor) {
            return self.alts.joined(all, most);
        }
        let mut left_out = self.noscripts(anchor).map(|aside| aside.alts.clone()).peekable();
        let outside = all.clone().filter(|number| {
            while left_out.next_if(|alts| alts.end <= *number).is_some() {}
            left_out.peek().is_none_or(|alts| !alts.contains(number))
        });
        let text = self.alts.joined(outside, most);
        if text.is_empty() { self.alts.joined(all, most) } else { text }
    }

    /// Whether an anchor holds an image outside its `noscript`s.
    fn has_image_outside(&self, anchor: &OpenAnchor<'_>) -> bool {
        let inside: usize = self.noscripts(anchor).map(|aside| aside.images.len()).sum();
        self.images - anchor.images_before > inside
    }

    /// The `noscript`s of an anchor that are not within others.
    fn noscripts(&self, anchor: &OpenAnchor<'_>) -> impl Iterator<Item = &Aside> {
        let mut end = (0, 0);
        let asides = self.asides[anchor.asides_before..].iter();
        asides.filter(|aside| aside.kind == AsideKind::NoScript).filter(move |aside| {
            let is_outermost = aside.text.start >= end.0 && aside.images.start >= end.1;
            if is_outermost {
                end = (aside.text.end, aside.images.end);
            }
            is_outermost
        })
    }

    fn clear(&mut self) {
        self.text.clear();
        self.alts.clear();
        self.asides.clear();
    }
}

/// Whether an HTML element of this name is a block.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        // The page, flow content.
        "html" | "body" | "address" | "blockquote" | "center" | "dialog" | "div" | "figure" | "figcaption" | "footer"
            | "form" | "header" | "hr" | "legend" | "listing" | "main" | "p" | "plaintext" | "pre" | "search" | "xmp"
            // Sections and headings.
            | "article" | "aside" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hgroup" | "nav" | "section"
            // Lists.
            | "dir" | "dd" | "dl" | "dt" | "menu" | "ol" | "ul" | "li"
            // Tables.
            | "table" | "caption" | "colgroup" | "col" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th"
            // Form controls, disclosure widgets, frames.
            | "fieldset" | "optgroup" | "option" | "details" | "summary" | "frameset" | "frame"
    )
}
