//! Dictionaries: the distinct texts or addresses of a column, each stored once. A value's index is its code.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::OnceLock;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::query::{Deadline, QueryError};

/// Distinct texts, concatenated. The code of a text is its index.
#[derive(Debug, Default)]
pub(crate) struct TextDictionary {
    arena: String,
    /// The end of each text in `arena`.
    ends: Vec<u64>,
    folded: OnceLock<Folded>,
}

/// The texts prepared for a case-insensitive search. Computed by the first search.
#[derive(Debug)]
struct Folded {
    /// The same bytes with ASCII letters in lower case; `None` when nothing changes.
    lower: Option<String>,
    has_kelvin: bool,
}

/// The Kelvin sign. It is the only character outside ASCII whose lower case is an ASCII letter: k.
const KELVIN: char = '\u{212a}';

/// Bytes converted to lower case between two checks of the deadline.
const BYTES_PER_CHECK: usize = 1 << 20;

impl TextDictionary {
    /// A dictionary from its stored parts; `None` when the ends do not match the arena.
    pub(in crate::query) fn from_parts(arena: String, ends: Vec<u64>) -> Option<Self> {
        let whole = ends.last().copied().unwrap_or(0) == arena.len() as u64;
        let fit = whole && ends.is_sorted() && ends.iter().all(|&end| arena.is_char_boundary(end as usize));
        fit.then(|| Self { arena, ends, folded: OnceLock::new() })
    }

    /// The text of a code of this dictionary.
    pub(crate) fn get(&self, code: u32) -> &str {
        &self.arena[self.start(code as usize)..self.ends[code as usize] as usize]
    }

    /// The bytes of the text of a code.
    pub(in crate::query) fn text_bytes(&self, code: u32) -> &[u8] {
        &self.arena.as_bytes()[self.start(code as usize)..self.ends[code as usize] as usize]
    }

    /// The start of a text in [`Self::arena`].
    pub(in crate::query) fn start(&self, code: usize) -> usize {
        if code == 0 { 0 } else { self.ends[code - 1] as usize }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All texts, concatenated.
    pub(in crate::query) fn arena(&self) -> &str {
        &self.arena
    }

    pub(in crate::query) fn ends(&self) -> &[u64] {
        &self.ends
    }

    /// The arena with ASCII letters in lower case.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(in crate::query) fn folded(&self, deadline: &Deadline) -> Result<&str, QueryError> {
        Ok(self.fold(deadline)?.lower.as_deref().unwrap_or(&self.arena))
    }

    /// Whether a text contains the Kelvin sign, whose lower case is k.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(in crate::query) fn has_kelvin(&self, deadline: &Deadline) -> Result<bool, QueryError> {
        Ok(self.fold(deadline)?.has_kelvin)
    }

    fn fold(&self, deadline: &Deadline) -> Result<&Folded, QueryError> {
        if self.folded.get().is_none() {
            let (mut lower, mut has_kelvin) = (String::with_capacity(self.arena.len()), false);
            let mut rest = self.arena.as_str();
            while !rest.is_empty() {
                deadline.check()?;
                let (piece, more) = rest.split_at(rest.floor_char_boundary(BYTES_PER_CHECK));
                lower.push_str(piece);
                let start = lower.len() - piece.len();
                lower[start..].make_ascii_lowercase();
                has_kelvin |= piece.contains(KELVIN);
                rest = more;
            }
            let lower = Some(lower).filter(|lower| *lower != self.arena);
            // Another thread may have set it first.
            let _ = self.folded.set(Folded { lower, has_kelvin });
        }
        self.folded.get().ok_or(QueryError::Deadline)
    }

    /// The size in memory in bytes.
    pub(in crate::query) fn memory_bytes(&self) -> usize {
        self.arena.len() + self.ends.len() * size_of::<u64>()
    }

    fn push(&mut self, text: &str) -> u32 {
        self.arena.push_str(text);
        self.ends.push(self.arena.len() as u64);
        (self.ends.len() - 1) as u32
    }
}

/// Builds a [`TextDictionary`]. The hash is keyed, since web pages choose the texts.
#[derive(Debug, Default)]
pub(crate) struct TextDictionaryBuilder {
    texts: TextDictionary,
    hasher: DefaultHashBuilder,
    codes: HashTable<u32>,
    /// The code of the last text: neighbouring rows often have the same one.
    last: Option<u32>,
}

impl TextDictionaryBuilder {
    /// The code of a text, which is added if it is new.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        if let Some(last) = self.last
            && self.texts.get(last) == text
        {
            return last;
        }
        let Self { texts, hasher, codes, last } = self;
        let hash = hasher.hash_one(text);
        let code = match codes.find(hash, |&code| texts.get(code) == text) {
            Some(&code) => code,
            None => {
                let code = texts.push(text);
                codes.insert_unique(hash, code, |&code| hasher.hash_one(texts.get(code)));
                code
            }
        };
        *last = Some(code);
        code
    }

    pub(crate) fn finish(self) -> TextDictionary {
        self.texts
    }
}

/// Builds a dictionary of addresses. The unknown address has a code of its own.
#[derive(Debug, Default)]
pub(crate) struct AddressDictionaryBuilder {
    addresses: Vec<Option<IpAddr>>,
    codes: HashMap<Option<IpAddr>, u32>,
}

impl AddressDictionaryBuilder {
    /// The code of an address, which is added if it is new. An IPv4-mapped IPv6 address counts as the IPv4
    /// address.
    pub(crate) fn code(&mut self, address: Option<IpAddr>) -> u32 {
        let address = address.map(|ip| ip.to_canonical());
        *self.codes.entry(address).or_insert_with(|| {
            self.addresses.push(address);
            (self.addresses.len() - 1) as u32
        })
    }

    pub(crate) fn finish(self) -> Vec<Option<IpAddr>> {
        self.addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_code() {
        let mut builder = TextDictionaryBuilder::default();
        let codes: Vec<u32> =
            ["", "b", "b", "ä", "", "a", "b"].into_iter().map(|text| builder.code(text)).collect();
        assert_eq!(codes, [0, 1, 1, 2, 0, 3, 1]);
        let texts = builder.finish();
        assert_eq!(texts.len(), 4);
        let back: Vec<&str> = codes.into_iter().map(|code| texts.get(code)).collect();
        assert_eq!(back, ["", "b", "b", "ä", "", "a", "b"]);
    }

    #[test]
    fn texts_with_invalid_ends_are_refused() {
        let texts = |bytes: &str, ends: &[u64]| TextDictionary::from_parts(bytes.to_owned(), ends.to_vec());
        assert_eq!(texts("aäb", &[1, 1, 3, 4]).unwrap().get(2), "ä");
        assert!(texts("", &[]).is_some());
        for (bytes, ends) in [("ab", &[1][..]), ("ab", &[2, 1, 2]), ("ab", &[3]), ("äb", &[1, 3]), ("a", &[])]
        {
            assert!(texts(bytes, ends).is_none(), "{bytes} {ends:?}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let mut builder = AddressDictionaryBuilder::default();
        let v4 = builder.code("192.0.2.1".parse().ok());
        assert_eq!(builder.code("::ffff:192.0.2.1".parse().ok()), v4);
        assert_ne!(builder.code(None), v4);
    }
}
