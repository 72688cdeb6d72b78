//! Digests of blocks and payloads.

use data_encoding::{BASE32, BASE64, HEXLOWER_PERMISSIVE};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

/// A labelled digest: the value of WARC-Block-Digest or WARC-Payload-Digest (WARC 1.1, 5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDigest {
    algorithm: DigestAlgorithm,
    value: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DigestAlgorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl RecordDigest {
    /// Parses `sha1:VALUE` and the like. Writers encode values in base 32, in base 64, or as hexadecimal digits; their
    /// lengths tell them apart. `None` for other algorithms and encodings.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.trim().split_once(':')?;
        let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
            "sha1" | "sha-1" => (DigestAlgorithm::Sha1, 20),
            "sha256" | "sha-256" => (DigestAlgorithm::Sha256, 32),
            "sha512" | "sha-512" => (DigestAlgorithm::Sha512, 64),
            _ => return None,
        };
        let value = value.trim();
        let decoded = [
            HEXLOWER_PERMISSIVE.decode(value.as_bytes()).ok(),
            BASE32.decode(value.to_ascii_uppercase().as_bytes()).ok(),
            BASE64.decode(value.as_bytes()).ok(),
        ];
        let value = decoded.into_iter().flatten().find(|value| value.len() == length)?;
        Some(Self { algorithm, value })
    }

    /// Whether these bytes have this digest.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        match self.algorithm {
            DigestAlgorithm::Sha1 => Sha1::digest(bytes).as_slice() == self.value,
            DigestAlgorithm::Sha256 => Sha256::digest(bytes).as_slice() == self.value,
            DigestAlgorithm::Sha512 => Sha512::digest(bytes).as_slice() == self.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_all_encodings_are_compared() {
        // From sha1sum and sha256sum of an empty file.
        for text in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "sha1:3i42h3s6nnfq2msvx7xzkyayscx5qbyj",
            "SHA-1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            let digest = RecordDigest::parse(text).unwrap();
            assert!(digest.is_of(b"") && !digest.is_of(b"x"), "{text}");
        }
        for text in
            ["", "sha1", "sha1:", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha1:3I42", "sha256:3I42H3S6"]
        {
            assert_eq!(RecordDigest::parse(text), None, "{text}");
        }
    }
}
