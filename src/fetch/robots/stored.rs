//! The persistent form of a robots.txt, and its store.
//!
//! An origin is the scheme, host and port at the start of a URL: `https://example.com:8443`. The cache passes each
//! change to the store, and loads an unknown origin once.

use bytes::Bytes;

/// A store of robots.txt files. A lost file only costs a fetch.
pub trait RobotsStore: Send + Sync {
    fn load(&self, origin: &str) -> Option<StoredRobots>;
    fn keep(&self, origin: &str, stored: &StoredRobots);
}

/// The last robots.txt of an origin, and the state of later attempts. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRobots {
    /// Time of the fetch of the body.
    pub fetched: u64,
    /// Status of that fetch; 0: no copy.
    pub status: u16,
    /// Time of the last attempt.
    pub tried: u64,
    /// Start of the consecutive failures; 0: the last attempt succeeded.
    pub failing_since: u64,
    /// Why the last attempt failed, or why the end of its body is missing. `None`: no error, or a row of an earlier
    /// version, which did not store the reason.
    pub failure: Option<RobotsFailure>,
    /// Decoded, up to `robots.max_bytes`. Empty unless the status is 2xx.
    pub body: Bytes,
}

/// The reason why a robots.txt is unavailable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RobotsFailure {
    /// As in [`crate::model::HostFailure::kind`].
    pub kind: String,
    /// The cause, in words.
    pub cause: String,
    /// Number of consecutive failures.
    pub attempts: u32,
}

/// The first byte of the encoded form, which identifies its version.
const FORMAT: u8 = 2;
/// The version without a failure, which earlier releases wrote.
const FORMAT_WITHOUT_FAILURE: u8 = 1;
const HEADER_BYTES: usize = 1 + 8 + 2 + 8 + 8;

impl StoredRobots {
    /// Encodes all fields, little-endian: version, fetched, status, tried, failing since, attempts, then kind and
    /// cause of the failure, each preceded by its length. The body comes last.
    pub fn encode(&self) -> Vec<u8> {
        let none = RobotsFailure::default();
        let RobotsFailure { kind, cause, attempts } = self.failure.as_ref().unwrap_or(&none);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 8 + kind.len() + cause.len() + self.body.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.fetched.to_le_bytes());
        bytes.extend_from_slice(&self.status.to_le_bytes());
        bytes.extend_from_slice(&self.tried.to_le_bytes());
        bytes.extend_from_slice(&self.failing_since.to_le_bytes());
        bytes.extend_from_slice(&attempts.to_le_bytes());
        for text in [kind, cause] {
            // Both texts are bounded far below this.
            let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(&text.as_bytes()[..usize::from(len)]);
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Decodes the output of [`Self::encode`]; `None` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (format, rest) = bytes.split_first()?;
        let (fetched, rest) = rest.split_first_chunk()?;
        let (status, rest) = rest.split_first_chunk()?;
        let (tried, rest) = rest.split_first_chunk()?;
        let (failing_since, rest) = rest.split_first_chunk()?;
        let (failure, body) = match *format {
            FORMAT => decode_failure(rest)?,
            FORMAT_WITHOUT_FAILURE => (None, rest),
            _ => return None,
        };
        Some(Self {
            fetched: u64::from_le_bytes(*fetched),
            status: u16::from_le_bytes(*status),
            tried: u64::from_le_bytes(*tried),
            failing_since: u64::from_le_bytes(*failing_since),
            failure,
            body: Bytes::copy_from_slice(body),
        })
    }
}

/// The failure, if there is one, and the remaining bytes.
fn decode_failure(bytes: &[u8]) -> Option<(Option<RobotsFailure>, &[u8])> {
    let (attempts, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = decode_text(rest)?;
    let (cause, rest) = decode_text(rest)?;
    let failure = RobotsFailure { kind, cause, attempts: u32::from_le_bytes(*attempts) };
    Some(((failure != RobotsFailure::default()).then_some(failure), rest))
}

fn decode_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_round_trips_and_earlier_versions_decode() {
        let failure = |kind: &str, cause: &str, attempts| {
            Some(RobotsFailure { kind: kind.to_owned(), cause: cause.to_owned(), attempts })
        };
        let body = || Bytes::from_static(b"User-agent: *\nDisallow: /\n");
        let stored = |failure, body| StoredRobots {
            fetched: 1,
            status: 200,
            tried: 1 << 40,
            failing_since: 3,
            failure,
            body,
        };
        for stored in [
            StoredRobots::default(),
            stored(None, body()),
            stored(failure("tls", "größer", 7), body()),
            stored(failure("status-500", "", 1), Bytes::new()),
        ] {
            let bytes = stored.encode();
            assert_eq!(StoredRobots::decode(&bytes), Some(stored.clone()));
            let tail = bytes.len() - stored.body.len();
            for cut in 0..tail {
                assert_eq!(StoredRobots::decode(&bytes[..cut]), None, "{cut} of {bytes:?}");
            }
        }
        let mut earlier = stored(None, body()).encode();
        earlier.drain(HEADER_BYTES..HEADER_BYTES + 8);
        earlier[0] = FORMAT_WITHOUT_FAILURE;
        assert_eq!(StoredRobots::decode(&earlier), Some(stored(None, body())));
        earlier[0] = 3;
        assert_eq!(StoredRobots::decode(&earlier), None);
        let long = stored(failure(&"k".repeat(70_000), &"c".repeat(70_000), 1), body());
        assert_eq!(StoredRobots::decode(&long.encode()).unwrap().body, body());
    }
}
