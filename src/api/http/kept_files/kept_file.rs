//! One kept file: how it is written, and how its parts are read.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use xxhash_rust::xxh3::Xxh3Default;

use crate::api::http::negotiation::ContentCoding;
use crate::api::http::representation::{ResponseMeta, strong_etag};

/// A response in a file. It never changes.
pub(crate) struct KeptFile {
    file: File,
    len: u64,
    meta: ResponseMeta,
    etag: HeaderValue,
    /// The change number of the store before the response was computed, if nothing else decides about the response.
    change_number: Option<u64>,
    is_complete: bool,
}

/// Writes a file and computes its tag.
pub(crate) struct KeptFileWriter {
    file: File,
    digest: Xxh3Default,
    len: u64,
    max_bytes: u64,
}

impl KeptFileWriter {
    pub(super) fn new(file: File, max_bytes: u64) -> Self {
        Self { file, digest: Xxh3Default::new(), len: 0, max_bytes }
    }

    /// Appends bytes, if they fit.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] for a file of more than `api.kept_file_bytes`, and those of the disk.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        if self.len > self.max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.digest.update(bytes);
        self.file.write_all(bytes)
    }

    /// Finishes the file. `change_number`: that of the store, if the response depends on it alone.
    pub(crate) fn finish(self, meta: ResponseMeta, change_number: Option<u64>) -> KeptFile {
        let is_unfinished = |(name, value): &(http::HeaderName, HeaderValue)| {
            name.as_str() == "x-export-finished" && value.as_bytes() == b"false"
        };
        KeptFile {
            etag: strong_etag(&meta, self.digest),
            file: self.file,
            len: self.len,
            is_complete: !meta.extra_headers.iter().any(is_unfinished),
            meta,
            change_number,
        }
    }
}

impl KeptFile {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    pub(crate) fn meta(&self) -> &ResponseMeta {
        &self.meta
    }

    /// Whether the response is that of the store with this change number.
    pub(super) fn is_current(&self, change_number: u64) -> bool {
        self.change_number == Some(change_number)
    }

    /// Whether the response has all rows.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Reads a part.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn read(&self, part: Range<u64>) -> io::Result<Bytes> {
        let bytes = usize::try_from(part.end - part.start).map_err(io::Error::other)?;
        let mut buffer = vec![0; bytes];
        self.file.read_exact_at(&mut buffer, part.start)?;
        Ok(buffer.into())
    }

    /// Writes the headers of a response with this part, and returns its status.
    pub(crate) fn write_headers(&self, part: Option<&Range<u64>>, headers: &mut HeaderMap) -> StatusCode {
        self.meta.write(ContentCoding::Identity, headers);
        headers.insert(ETAG, self.etag.clone());
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let Some(Range { start, end }) = part else {
            headers.insert(CONTENT_LENGTH, self.len.into());
            return StatusCode::OK;
        };
        headers.insert(CONTENT_LENGTH, (end - start).into());
        let range = format!("bytes {start}-{}/{}", end.saturating_sub(1), self.len);
        headers.extend(HeaderValue::from_str(&range).map(|range| (CONTENT_RANGE, range)));
        StatusCode::PARTIAL_CONTENT
    }
}
