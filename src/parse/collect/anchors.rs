//! The open anchors at a point of the tree walk, and their texts.
//!
//! An anchor text is what a reader of the link sees: the text nodes inside the anchor, except those in `script`,
//! `style` and `template`. If the anchor holds an image outside its `noscript` elements, those replace images that a
//! script loads, and are excluded too. A `br` and both edges of a block element count as a blank. An anchor with an
//! image and without text gets the `alt` texts of its images. Those in an excluded `noscript` are used only if the
//! others are empty.
//!
//! Block elements are those with `display: block`, `list-item`, `table` or a part of a table in the user agent style
//! sheet (rendering section 15.3 of the HTML standard).
//!
//! Anchors can be nested (in tables, or in SVG). Their texts are slices of one text that grows along the walk. So a
//! text node is read once, whatever the number of anchors around it.

use std::ops::Range;

use super::text::{Alts, AnchorText};
use crate::parse::dom::node::NodeRef;

#[derive(Default)]
pub(super) struct OpenAnchors<'t> {
    /// Outermost first.
    open: Vec<OpenAnchor<'t>>,
    /// Number of innermost open anchors without a visible character yet.
    blank: usize,
    /// The text since the outermost open anchor started.
    text: AnchorText,
    /// The `alt` texts of the images since then.
    alts: Alts,
    /// The first `alt` that a new one is compared with.
    first_alt: usize,
    /// Number of images so far.
    images: usize,
    /// In order of their start, including nested ones.
    excluded: Vec<ExcludedPart>,
    /// The excluded parts around the current node.
    open_excluded: Vec<(NodeRef<'t>, usize)>,
}

/// An `a` with `href` that has not ended yet.
struct OpenAnchor<'t> {
    node: NodeRef<'t>,
    reference: usize,
    text_start: usize,
    alts_start: usize,
    images_before: usize,
    excluded_before: usize,
}

/// An element inside an anchor whose text may not count.
struct ExcludedPart {
    kind: ExclusionKind,
    text: Range<usize>,
    alts: Range<usize>,
    images: Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum ExclusionKind {
    /// A `noscript`, excluded if the anchor has an image outside it.
    NoScript,
    /// A `script`, `style` or `template`, always excluded.
    Hidden,
}

/// An anchor that has ended.
pub(super) struct ClosedAnchor {
    /// The number passed to [`OpenAnchors::open`].
    pub reference: usize,
    pub text: String,
    pub holds_image: bool,
}

impl<'t> OpenAnchors<'t> {
    /// Whether no anchor is open. In that state only [`Self::open`] has an effect.
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
            excluded_before: self.excluded.len(),
        });
    }

    pub(super) fn push_text(&mut self, text: &str) {
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

    /// Adds a word separator.
    pub(super) fn push_blank(&mut self) {
        self.text.push_blank();
    }

    pub(super) fn push_image(&mut self, alt: Option<&str>) {
        self.images += 1;
        if let Some(alt) = alt {
            self.alts.push(alt, self.first_alt);
        }
    }

    pub(super) fn exclude(&mut self, node: NodeRef<'t>, kind: ExclusionKind) {
        self.open_excluded.push((node, self.excluded.len()));
        self.excluded.push(ExcludedPart {
            kind,
            text: self.text.len()..self.text.len(),
            alts: self.alts.len()..self.alts.len(),
            images: self.images..self.images,
        });
        self.text.add_seam();
        self.first_alt = self.alts.len();
    }

    /// Leaves a node. If the node is an open anchor, returns it with at most `max_chars` characters of its text.
    pub(super) fn leave(&mut self, node: NodeRef<'t>, max_chars: usize) -> Option<ClosedAnchor> {
        if let Some((_, number)) = self.open_excluded.pop_if(|(part, _)| part.is(node)) {
            self.close_excluded(number);
            return None;
        }
        let anchor = self.open.pop_if(|anchor| anchor.node.is(node))?;
        let is_blank = self.blank > 0;
        self.blank -= usize::from(is_blank);
        let holds_image = self.images > anchor.images_before;
        let is_whole = anchor.excluded_before == self.excluded.len();
        let mut text = match is_whole {
            true if is_blank => String::new(),
            true => self.text.since(anchor.text_start, max_chars),
            false => self.text_without_excluded(&anchor, max_chars),
        };
        if holds_image && text.is_empty() {
            text = self.alts_of(&anchor, max_chars);
        }
        if self.open.is_empty() {
            self.clear();
        }
        Some(ClosedAnchor { reference: anchor.reference, text, holds_image })
    }

    fn close_excluded(&mut self, number: usize) {
        let part = &mut self.excluded[number];
        part.text.end = self.text.len();
        part.alts.end = self.alts.len();
        part.images.end = self.images;
        self.text.add_seam();
        self.first_alt = self.alts.len();
    }

    fn text_without_excluded(&self, anchor: &OpenAnchor<'_>, max_chars: usize) -> String {
        let without_noscript = self.has_image_outside(anchor);
        let excluded = &self.excluded[anchor.excluded_before..];
        let left_out = excluded.iter().filter(|part| part.kind == ExclusionKind::Hidden || without_noscript);
        self.text.without(anchor.text_start, left_out.map(|part| part.text.clone()), max_chars)
    }

    fn alts_of(&self, anchor: &OpenAnchor<'_>, max_chars: usize) -> String {
        let all = anchor.alts_start..self.alts.len();
        if !self.has_image_outside(anchor) {
            return self.alts.joined(all, max_chars);
        }
        let mut left_out = self.noscripts(anchor).map(|part| part.alts.clone()).peekable();
        let outside = all.clone().filter(|number| {
            while left_out.next_if(|alts| alts.end <= *number).is_some() {}
            left_out.peek().is_none_or(|alts| !alts.contains(number))
        });
        let text = self.alts.joined(outside, max_chars);
        if text.is_empty() { self.alts.joined(all, max_chars) } else { text }
    }

    /// Whether an anchor holds an image outside its `noscript` elements.
    fn has_image_outside(&self, anchor: &OpenAnchor<'_>) -> bool {
        let inside: usize = self.noscripts(anchor).map(|part| part.images.len()).sum();
        self.images - anchor.images_before > inside
    }

    /// The outermost `noscript` elements of an anchor.
    fn noscripts(&self, anchor: &OpenAnchor<'_>) -> impl Iterator<Item = &ExcludedPart> {
        let mut end = (0, 0);
        let excluded = self.excluded[anchor.excluded_before..].iter();
        excluded.filter(|part| part.kind == ExclusionKind::NoScript).filter(move |part| {
            let is_outermost = part.text.start >= end.0 && part.images.start >= end.1;
            if is_outermost {
                end = (part.text.end, part.images.end);
            }
            is_outermost
        })
    }

    fn clear(&mut self) {
        self.text.clear();
        self.alts.clear();
        self.excluded.clear();
    }
}

/// Whether an HTML element with this name is a block.
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
