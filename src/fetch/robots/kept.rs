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
    /// Decoded, and no longer than `robots.max_bytes`. Empty unless the status is 2xx.
    pub body: Bytes,
}

/// The first byte of the form below, so that another form can be told from it.
const FORM: u8 = 1;
const HEAD: usize = 1 + 8 + 2 + 8 + 8;

impl KeptRobots {
    /// Form, fetched, status, tried, failing since: little-endian; then the body.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.body.len());
        bytes.push(FORM);
        bytes.extend_from_slice(&self.fetched.to_le_bytes());
        bytes.extend_from_slice(&self.status.to_le_bytes());
        bytes.extend_from_slice(&self.tried.to_le_bytes());
        bytes.extend_from_slice(&self.failing_since.to_le_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Takes back what [`Self::encode`] gave; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (fetched, rest) = rest.split_first_chunk()?;
        let (status, rest) = rest.split_first_chunk()?;
        let (tried, rest) = rest.split_first_chunk()?;
        let (failing_since, body) = rest.split_first_chunk()?;
        (*form == FORM).then(|| Self {
            fetched: u64::from_le_bytes(*fetched),
            status: u16::from_le_bytes(*status),
            tried: u64::from_le_bytes(*tried),
            failing_since: u64::from_le_bytes(*failing_since),
            body: Bytes::copy_from_slice(body),
        })
    }
}
