//! Primitives of all stored values: LEB128 varints and length-prefixed strings.
//!
//! Decoding never panics. Damaged bytes give [`Damage`], which names the damaged field.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the encoding takes the lowest seven bits of a number, and zigzag keeps all bits of a signed one"
)]

/// Names the field that cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Damage(pub &'static str);

pub(in crate::store) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(in crate::store) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Zigzag encoding, as in protocol buffers: small negative numbers take few bytes.
pub(in crate::store) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Decodes values from the front of a byte string.
pub(in crate::store) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, Damage> {
        let (&first, rest) = self.0.split_first().ok_or(Damage(what))?;
        self.0 = rest;
        Ok(first)
    }

    pub(crate) fn bytes(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Damage(what))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Damage> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Damage(what))?;
        self.0 = rest;
        Ok(*array)
    }

    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, Damage> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damage(what))
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Damage> {
        u32::try_from(self.varint(what)?).map_err(|_| Damage(what))
    }

    /// Decodes a number of items, each of which takes at least one byte of the rest. Therefore a damaged count cannot
    /// allocate more memory than the record could fill.
    pub(crate) fn count(&mut self, what: &'static str) -> Result<usize, Damage> {
        let count = usize::try_from(self.varint(what)?).map_err(|_| Damage(what))?;
        if count > self.0.len() { Err(Damage(what)) } else { Ok(count) }
    }

    pub(crate) fn signed(&mut self, what: &'static str) -> Result<i64, Damage> {
        let value = self.varint(what)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<&'a str, Damage> {
        let length = usize::try_from(self.varint(what)?).map_err(|_| Damage(what))?;
        std::str::from_utf8(self.bytes(length, what)?).map_err(|_| Damage(what))
    }

    pub(crate) fn string(&mut self, what: &'static str) -> Result<String, Damage> {
        self.text(what).map(str::to_owned)
    }

    pub(crate) fn end(&self) -> Result<(), Damage> {
        if self.0.is_empty() { Ok(()) } else { Err(Damage("the end of the record")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_round_trip() {
        let mut out = Vec::new();
        let unsigned = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let signed = [0, -1, 1, 63, -64, i64::MAX, i64::MIN];
        for value in unsigned {
            put_varint(&mut out, value);
        }
        for value in signed {
            put_signed(&mut out, value);
        }
        put_text(&mut out, "日本語");
        let mut reader = Reader(&out);
        for value in unsigned {
            assert_eq!(reader.varint("n"), Ok(value));
        }
        for value in signed {
            assert_eq!(reader.signed("n"), Ok(value));
        }
        assert_eq!(reader.text("t"), Ok("日本語"));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn damaged_bytes_give_damage() {
        assert_eq!(Reader(&[0x80; 11]).varint("n"), Err(Damage("n")));
        assert_eq!(Reader(&[5, b'a']).text("t"), Err(Damage("t")));
        assert_eq!(Reader(&[2, 0xff, 0xfe]).text("t"), Err(Damage("t")));
        assert_eq!(Reader(&[200, 1]).count("c"), Err(Damage("c")));
        assert!(Reader(&[0]).end().is_err());
    }
}
