//! Composite keys. Each part has its own terminator (the scheme byte of a SURT, `0x00` of a host). Therefore keys sort
//! part by part, and split without stored lengths.

use crate::urls::{CanonicalUrl, Surt};

use super::varint::Damage;

/// `target SURT · source SURT · seq`. All backlinks of a page are adjacent, and so are those of a host and of a
/// domain.
pub(in crate::store) fn backlink_key(target: &CanonicalUrl, source: &[u8], seq: u32) -> Vec<u8> {
    let target = Surt::from(target);
    let mut key = Vec::with_capacity(target.as_bytes().len() + source.len() + 2);
    key.extend_from_slice(target.as_bytes());
    key.extend_from_slice(source);
    put_seq(&mut key, seq);
    key
}

/// The key of a backlink, given by canonical URLs. `None` if one of them is not canonical.
pub fn backlink_key_of_texts(target: &str, source: &str, seq: u32) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(target.len() + source.len() + 4);
    let both = Surt::encode_into(target, &mut key) && Surt::encode_into(source, &mut key);
    put_seq(&mut key, seq);
    both.then_some(key)
}

/// Splits the key of a backlink into target SURT, source SURT and seq.
pub(in crate::store) fn split_backlink_key(key: &[u8]) -> Result<(&[u8], &[u8], u32), Damage> {
    let (target, rest) = Surt::split_first(key).map_err(|_| Damage("the target"))?;
    let (source, rest) = Surt::split_first(rest).map_err(|_| Damage("the source"))?;
    Ok((target, source, read_seq(rest)?))
}

/// `target host · 0x00 · source host`, with hosts as in a SURT: `com,example,www,`.
pub(in crate::store) fn pair_key(target_host: &[u8], source_host: &[u8]) -> Vec<u8> {
    [target_host, &[0], source_host].concat()
}

pub(in crate::store) fn split_pair_key(key: &[u8]) -> Result<(&[u8], &[u8]), Damage> {
    let at = memchr::memchr(0, key).ok_or(Damage("the target host"))?;
    Ok((&key[..at], &key[at + 1..]))
}

/// Encodes a number so that its bytes sort as the number does. Numbers below 0xf8 take one byte. Other numbers take a
/// byte of 0xf7 plus the number of bytes that follow, then these bytes, big endian.
#[expect(clippy::cast_possible_truncation, reason = "each byte is below 0xfc")]
fn put_seq(key: &mut Vec<u8>, number: u32) {
    if number < 0xf8 {
        key.push(number as u8);
        return;
    }
    let bytes = number.to_be_bytes();
    let skip = bytes.iter().take_while(|&&b| b == 0).count();
    key.push(0xf7 + (4 - skip) as u8);
    key.extend_from_slice(&bytes[skip..]);
}

fn read_seq(bytes: &[u8]) -> Result<u32, Damage> {
    let wrong = Damage("the number that ends the key");
    match bytes.split_first() {
        Some((&first, [])) if first < 0xf8 => Ok(u32::from(first)),
        Some((&first, rest))
            if first >= 0xf8 && rest.len() == usize::from(first - 0xf7) && rest.len() <= 4 =>
        {
            Ok(rest.iter().fold(0, |number, &b| number << 8 | u32::from(b)))
        }
        _ => Err(wrong),
    }
}

/// The first key after all keys that start with `prefix`. `None` if there is no such key.
pub(in crate::store) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&b| b != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::UrlRules;

    fn url(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    #[test]
    fn numbers_in_keys_sort_as_numbers() {
        let numbers = [0, 1, 0xf7, 0xf8, 0xff, 0x100, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, u32::MAX];
        let keys: Vec<Vec<u8>> = numbers
            .iter()
            .map(|&number| {
                let mut key = Vec::new();
                put_seq(&mut key, number);
                key
            })
            .collect();
        assert!(keys.is_sorted());
        for (key, number) in keys.iter().zip(numbers) {
            assert_eq!(read_seq(key), Ok(number));
        }
        for wrong in [&[][..], &[1, 2], &[0xf8], &[0xfc, 1, 2, 3, 4, 5]] {
            assert!(read_seq(wrong).is_err());
        }
    }

    #[test]
    fn backlink_keys_split_and_sort_by_target_then_source() {
        let source = Surt::from(&url("http://a.test/x"));
        let mut keys = Vec::new();
        for target in ["http://b.test/", "https://b.test/", "http://b.test/a", "http://www.b.test/"] {
            for seq in [0, 1, 300] {
                let key = backlink_key(&url(target), source.as_bytes(), seq);
                let (target_part, source_part, split_seq) = split_backlink_key(&key).unwrap();
                assert_eq!(Surt::bytes_to_url(target_part).unwrap().as_str(), target);
                assert_eq!((source_part, split_seq), (source.as_bytes(), seq));
                keys.push(key);
            }
        }
        assert!(keys.is_sorted());
    }

    #[test]
    fn after_prefix_gives_the_next_prefix() {
        assert_eq!(after_prefix(b"com,example,"), Some(b"com,example-".to_vec()));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff]), None);
    }
}
