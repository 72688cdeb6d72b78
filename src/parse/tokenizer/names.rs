//! Names of tags and attributes, looked up once for each way they are spelled in a document, and which attributes of
//! which tags are kept.
//!
//! html5ever interns long names that it does not know in one table for the whole process, whose time for a page of
//! made-up names grows with their square, and which other threads wait for. Nothing ever asks what such a name is, only
//! whether two of them are the same. So a number stands in for it, which is counted from one in every document.

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

/// Bytes of the longest name that html5ever holds without a table.
const SHORT: usize = 7;

/// The names met so far, as they are written.
#[derive(Default)]
pub(super) struct Names<'t> {
    tags: AHashMap<&'t str, TagName>,
    attributes: AHashMap<&'t str, LocalName>,
    strangers: Strangers<'t>,
}

impl<'t> Names<'t> {
    /// The name of a tag, as it is written in the document.
    pub(super) fn tag(&mut self, written: &'t str) -> TagName {
        if let Some(known) = self.tags.get(written) {
            return known.clone();
        }
        let name = as_read(written);
        let new = TagName { kept: kept(&name), local: self.strangers.local(name) };
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
        let new = self.strangers.local(as_read(written));
        self.attributes.insert(written, new.clone());
        Some(new)
    }
}

/// Long names that html5ever does not know, as they are read, with what stands in for them.
#[derive(Default)]
struct Strangers<'t>(AHashMap<Cow<'t, str>, LocalName>);

impl<'t> Strangers<'t> {
    fn local(&mut self, name: Cow<'t, str>) -> LocalName {
        if name.len() <= SHORT {
            return LocalName::from(name);
        }
        if let Some(known) = LocalName::try_static(&name) {
            return known;
        }
        let number = self.0.len() + 1;
        self.0.entry(name).or_insert_with(|| stand_in(number)).clone()
    }
}

/// A short name that no document can hold, because of its blank. A text has room for less than 2^36 names.
fn stand_in(number: usize) -> LocalName {
    const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-";
    let digits = (0..6).map(|place| char::from(DIGITS[number >> (6 * place) & 63]));
    LocalName::from(std::iter::once(' ').chain(digits).collect::<String>())
}

/// A name as the tokenizer reads it: ASCII letters in lower case, NUL replaced.
fn as_read(written: &str) -> Cow<'_, str> {
    if written.bytes().any(|b| b.is_ascii_uppercase() || b == 0) {
        Cow::Owned(written.to_ascii_lowercase().replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(written)
    }
}
