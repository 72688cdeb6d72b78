//! Names of tags and attributes, looked up once for each spelling in a document, and the attributes that each tag
//! keeps.
//!
//! html5ever interns long unknown names in one table for the whole process. Its time for a page of made-up names is
//! quadratic, and other threads wait for it. Only the equality of such names matters, never their spelling. So a
//! number replaces each of them, counted from one in every document.

use std::borrow::Cow;

use hashbrown::HashMap;
use html5ever::LocalName;

/// The attributes that a tag keeps.
#[derive(Clone, Copy)]
pub(super) enum KeptAttributes {
    All,
    /// Only those with these names.
    Only(&'static [&'static str]),
}

/// The attributes that the tree walk reads, and those that influence the tree: the encoding declared by a `meta`,
/// hidden `input`s, HTML in MathML. Formatting elements keep all attributes, because the tree builder compares them.
fn kept_attributes(tag: &str) -> KeptAttributes {
    KeptAttributes::Only(match tag {
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong"
        | "tt" | "u" => return KeptAttributes::All,
        "area" => &["href", "rel", "alt"],
        "annotation-xml" => &["encoding"],
        "base" => &["href"],
        "frame" | "iframe" | "ilayer" | "layer" => &["src", "title"],
        // The tree builder turns an `image` into an `img`.
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
    pub(super) kept: KeptAttributes,
}

/// Bytes of the longest name that html5ever stores inline, without its table.
const MAX_INLINE_BYTES: usize = 7;

/// The names found so far, by spelling.
#[derive(Default)]
pub(super) struct Names<'t> {
    tags: HashMap<&'t str, TagName>,
    attributes: HashMap<&'t str, LocalName>,
    unknown: UnknownNames<'t>,
}

impl<'t> Names<'t> {
    /// The name of a tag, by its spelling in the document.
    pub(super) fn tag(&mut self, written: &'t str) -> TagName {
        if let Some(known) = self.tags.get(written) {
            return known.clone();
        }
        let name = normalized(written);
        let new = TagName { kept: kept_attributes(&name), local: self.unknown.local(name) };
        self.tags.insert(written, new.clone());
        new
    }

    /// The name of an attribute, by its spelling in the document, if it is kept.
    pub(super) fn attribute(&mut self, written: &'t str, kept: KeptAttributes) -> Option<LocalName> {
        let is_kept = match kept {
            KeptAttributes::All => true,
            KeptAttributes::Only(names) => names.iter().any(|name| name.eq_ignore_ascii_case(written)),
        };
        if !is_kept {
            return None;
        }
        if let Some(known) = self.attributes.get(written) {
            return Some(known.clone());
        }
        let new = self.unknown.local(normalized(written));
        self.attributes.insert(written, new.clone());
        Some(new)
    }
}

/// Long names unknown to html5ever, normalised, with their placeholders.
#[derive(Default)]
struct UnknownNames<'t>(HashMap<Cow<'t, str>, LocalName>);

impl<'t> UnknownNames<'t> {
    fn local(&mut self, name: Cow<'t, str>) -> LocalName {
        if name.len() <= MAX_INLINE_BYTES {
            return LocalName::from(name);
        }
        if let Some(known) = LocalName::try_static(&name) {
            return known;
        }
        let number = self.0.len() + 1;
        self.0.entry(name).or_insert_with(|| placeholder(number)).clone()
    }
}

/// A short name that no document can have, because it contains a blank. A text has room for fewer than 2^36 names.
fn placeholder(number: usize) -> LocalName {
    const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-";
    let digits = (0..6).map(|place| char::from(DIGITS[number >> (6 * place) & 63]));
    LocalName::from(std::iter::once(' ').chain(digits).collect::<String>())
}

/// A name as the tokenizer reads it: ASCII letters in lower case, NUL replaced.
fn normalized(written: &str) -> Cow<'_, str> {
    if written.bytes().any(|b| b.is_ascii_uppercase() || b == 0) {
        Cow::Owned(written.to_ascii_lowercase().replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(written)
    }
}
