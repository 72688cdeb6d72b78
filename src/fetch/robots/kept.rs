//! What is kept of a robots.txt across restarts, and where.
//!
//! An origin is scheme, host and port as a URL begins: `https://example.com:8443`. The cache hands over what it
//! learns and asks once for an origin that it does not know; what lies behind the shelf (the store) is not its
//! business.

use bytes::Bytes;

/// Where robots.txt files are kept. Losing one costs a fetch, nothing else.
pub trait RobotsShelf: Send + Sync {
    fn load(&self, origin: &str) -> Option<KeptRobots>;
    fn keep(&self, origin: &str, kept: &KeptRobots);
}

/// The last robots.txt of an origin, and how asking for it went since. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptRobots {
    /// When the body came.
    pub fetched: u64,
    /// The status that the body came with; 0: none came ever.
    pub status: u16,
    /// When it was asked for last.
    pub tried: u64,
    /// Since when every try has failed; 0: the last one did not.
    pub failing_since: u64,
    /// Why the last try failed, or why the end of what it brought is missing; `None`: all was well, or an earlier
    /// version of this program did not keep why.
    pub failure: Option<RobotsFailure>,
    /// Decoded, and no longer than `robots.max_bytes`. Empty unless the status is 2xx.
    pub body: Bytes,
}

/// Why a robots.txt could not be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RobotsFailure {
    /// As in [`crate::model::HostFailure::kind`].
    pub kind: String,
    /// What exactly went wrong, in words.
    pub cause: String,
    /// Tries in a row that failed.
    pub attempts: u32,
}

/// The first byte of the form below, so that another form can be told from it.
const FORM: u8 = 2;
/// The form without a failure, which earlier versions wrote.
const FORM_WITHOUT_FAILURE: u8 = 1;
const HEAD: usize = 1 + 8 + 2 + 8 + 8;

impl KeptRobots {
    /// Form, fetched, status, tried, failing since, the attempts, and kind and cause of the failure with the length of
    /// each before it: little-endian; then the body.
    pub fn encode(&self) -> Vec<u8> {
        let none = RobotsFailure::default();
        let RobotsFailure { kind, cause, attempts } = self.failure.as_ref().unwrap_or(&none);
        let mut bytes = Vec::with_capacity(HEAD + 8 + kind.len() + cause.len() + self.body.len());
        bytes.push(FORM);
        bytes.extend_from_slice(&self.fetched.to_le_bytes());
        bytes.extend_from_slice(&self.status.to_le_bytes());
        bytes.extend_from_slice(&self.tried.to_le_bytes());
        bytes.extend_from_slice(&self.failing_since.to_le_bytes());
        bytes.extend_from_slice(&attempts.to_le_bytes());
        for text in [kind, cause] {
            // Both are cut long before.
            let text = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
            bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
            bytes.extend_from_slice(text);
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Takes back what [`Self::encode`] gave; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (fetched, rest) = rest.split_first_chunk()?;
        let (status, rest) = rest.split_first_chunk()?;
        let (tried, rest) = rest.split_first_chunk()?;
        let (failing_since, rest) = rest.split_first_chunk()?;
        let (failure, body) = match *form {
            FORM => decode_failure(rest)?,
            FORM_WITHOUT_FAILURE => (None, rest),
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

/// The failure, if there is one, and what follows it.
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
    fn what_is_kept_is_read_back_and_what_earlier_versions_kept_too() {
        let failure = |kind: &str, cause: &str, attempts| {
            Some(RobotsFailure { kind: kind.to_owned(), cause: cause.to_owned(), attempts })
        };
        let body = || Bytes::from_static(b"User-agent: *\nDisallow: /\n");
        let kept = |failure, body| KeptRobots {
            fetched: 1,
            status: 200,
            tried: 1 << 40,
            failing_since: 3,
            failure,
            body,
        };
        for kept in [
            KeptRobots::default(),
            kept(None, body()),
            kept(failure("tls", "größer", 7), body()),
            kept(failure("status-500", "", 1), Bytes::new()),
        ] {
            let bytes = kept.encode();
            assert_eq!(KeptRobots::decode(&bytes), Some(kept.clone()));
            let tail = bytes.len() - kept.body.len();
            for cut in 0..tail {
                assert_eq!(KeptRobots::decode(&bytes[..cut]), None, "{cut} of {bytes:?}");
            }
        }
        let mut earlier = kept(None, body()).encode();
        earlier.drain(HEAD..HEAD + 8);
        earlier[0] = FORM_WITHOUT_FAILURE;
        assert_eq!(KeptRobots::decode(&earlier), Some(kept(None, body())));
        earlier[0] = 3;
        assert_eq!(KeptRobots::decode(&earlier), None);
        let long = kept(failure(&"k".repeat(70_000), &"c".repeat(70_000), 1), body());
        assert_eq!(KeptRobots::decode(&long.encode()).unwrap().body, body());
    }
}
