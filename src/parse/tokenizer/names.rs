//! Names of tags and attributes, interned once for each way they are spelled in a document, and which attributes of
//! which tags are kept.

use std::borrow::Cow;

use ahash::AHashMap;
use html5ever::LocalName;

/// The attributes of a tag that are kept.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    All,
    /// Those of these names.
    Only(&'static [&'static str]),
}

/// What the walk over the tree reads, and what decides how the tree is built: the encoding that a `meta` declares,
/// hidden `input`s, HTML in MathML. Formatting elements keep everything, because the tree builder compares them.
fn kept(tag: &str) -> Kept {
    Kept::Only(match tag {
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong"
        | "tt" | "u" => return Kept::All,
        "area" => &["href", "rel", "alt"],
        "annotation-xml" => &["encoding"],
        "base" => &["href"],
        "frame" | "iframe" | "ilayer" | "layer" => &["src", "title"],
        // The tree builder makes an `img` of an `image`.
        "img" | "image" => &["alt"],
        "input" => &["type"],
        "link" => &["href", "rel"],
        "meta" => &["charset", "content", "http-equiv", "name"],
        _ => &[],
    })
}

#[derive(Clone)]
pub(super) struct TagName {
    pub(super) local: LocalName,
    pub(super) kept: Kept,
}

/// The names met so far.
#[derive(Default)]
pub(super) struct Names<'t> {
    tags: AHashMap<&'t str, TagName>,
    attributes: AHashMap<&'t str, LocalName>,
}

impl<'t> Names<'t> {
    /// The name of a tag, as it is written in the document.
    pub(super) fn tag(&mut self, written: &'t str) -> TagName {
        if let Some(known) = self.tags.get(written) {
            return known.clone();
        }
        let name = as_read(written);
        let new = TagName { kept: kept(&name), local: LocalName::from(name) };
        self.tags.insert(written, new.clone());
        new
    }

    /// The name of an attribute, as it is written in the document, if it is kept.
    pub(super) fn attribute(&mut self, written: &'t str, kept: Kept) -> Option<LocalName> {
        let is_kept = match kept {
            Kept::All => true,
            Kept::Only(names) => names.iter().any(|name| name.eq_ignore_ascii_case(written)),
        };
        if !is_kept {
            return None;
        }
        if let Some(known) = self.attributes.get(written) {
            return Some(known.clone());
        }
        let new = LocalName::from(as_read(written));
        self.attributes.insert(written, new.clone());
        Some(new)
    }
}

/// A name as the tokenizer reads it: ASCII letters in lower case, NUL replaced.
fn as_read(written: &str) -> Cow<'_, str> {
    if written.bytes().any(|b| b.is_ascii_uppercase() || b == 0) {
        Cow::Owned(written.to_ascii_lowercase().replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(written)
    }
}
