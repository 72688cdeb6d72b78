//! Distinct texts and addresses of a column, each stored once and named by a small number, its code.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

/// Marks the end of a chain of texts with one hash.
const NONE: u32 = u32::MAX;

/// Distinct texts, end to end; a text's code is its index.
#[derive(Debug, Default)]
pub struct Texts {
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    /// The text of a code that this dictionary gave.
    pub fn get(&self, code: u32) -> &str {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.bytes[start..self.ends[code]]
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn push(&mut self, text: &str) -> u32 {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        (self.ends.len() - 1) as u32
    }
}

/// A [`Texts`] being filled. Texts are found by a keyed hash, since web pages choose them.
#[derive(Debug, Default)]
pub struct TextsBuilder {
    texts: Texts,
    hasher: RandomState,
    /// The latest text of each hash, and for every text the one before it with the same hash.
    latest: FxHashMap<u64, u32>,
    before: Vec<u32>,
    /// Neighbouring rows often have the same text.
    last: Option<u32>,
}

impl TextsBuilder {
    /// The code of a text, new or known.
    pub fn code(&mut self, text: &str) -> u32 {
        if let Some(last) = self.last
            && self.texts.get(last) == text
        {
            return last;
        }
        let hash = self.hasher.hash_one(text);
        let newest = self.latest.get(&hash).copied().unwrap_or(NONE);
        let mut code = newest;
        while code != NONE && self.texts.get(code) != text {
            code = self.before[code as usize];
        }
        if code == NONE {
            code = self.texts.push(text);
            self.before.push(newest);
            self.latest.insert(hash, code);
        }
        self.last = Some(code);
        code
    }

    pub fn finish(self) -> Texts {
        self.texts
    }
}

/// Distinct addresses being gathered; an unknown address has a code of its own.
#[derive(Debug, Default)]
pub struct AddressesBuilder {
    addresses: Vec<Option<IpAddr>>,
    codes: FxHashMap<Option<IpAddr>, u32>,
}

impl AddressesBuilder {
    /// The code of an address, new or known. An IPv4 address written as IPv6 is the same address.
    pub fn code(&mut self, address: Option<IpAddr>) -> u32 {
        let address = address.map(|ip| ip.to_canonical());
        *self.codes.entry(address).or_insert_with(|| {
            self.addresses.push(address);
            (self.addresses.len() - 1) as u32
        })
    }

    pub fn finish(self) -> Vec<Option<IpAddr>> {
        self.addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_code() {
        let mut builder = TextsBuilder::default();
        let codes: Vec<u32> =
            ["", "b", "b", "ä", "", "a", "b"].into_iter().map(|text| builder.code(text)).collect();
        assert_eq!(codes, [0, 1, 1, 2, 0, 3, 1]);
        let texts = builder.finish();
        assert_eq!(texts.len(), 4);
        let back: Vec<&str> = codes.into_iter().map(|code| texts.get(code)).collect();
        assert_eq!(back, ["", "b", "b", "ä", "", "a", "b"]);
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let mut builder = AddressesBuilder::default();
        let v4 = builder.code("192.0.2.1".parse().ok());
        assert_eq!(builder.code("::ffff:192.0.2.1".parse().ok()), v4);
        assert_ne!(builder.code(None), v4);
    }
}
