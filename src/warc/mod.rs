//! WARC files of what was fetched, by WARC/1.1 (ISO 28500:2017,
//! <https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/>).
//!
//! In goes an [`Exchange`], one request with its answer; out come two records, each a gzip member of its own, in files
//! that other tools read. A file begins with a `warcinfo` record, is written as `NAME.warc.gz.open` and gets its name
//! when it is full or the writer is closed. A record reaches the file in one piece: a crash leaves a `.open` file whose
//! records are whole up to the last, which may be cut. The next writer into the folder cuts that one off and gives the
//! file its name.
//!
//! * Bodies are stored as they came over the wire, content encodings on and transfer encodings off. So that the
//!   stored headers tell the truth about the stored bytes, `Transfer-Encoding` becomes `X-Crawler-Transfer-Encoding`,
//!   and a `Content-Length` that is not the stored one `X-Crawler-Content-Length`, as Common Crawl does.
//! * Header names are in lower case, because that is how they reach us. Answers over HTTP/2 are written down as
//!   HTTP/1.1, which readers know, with `WARC-Protocol: h2`.
//! * A 304 is a `revisit` record of the profile server-not-modified.
//!
//! It does not read WARC files and does not decide what is kept.

mod file;
mod left;
mod record;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::{HeaderMap, Version};

use crate::urls::CanonicalUrl;
use file::WarcFile;
use record::Record;

/// What is the same for all files of a writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarcOptions {
    /// Bytes, compressed, from which on a file is full.
    pub max_file_bytes: u64,
    /// Name and version of the program.
    pub software: String,
    /// Who crawls, and how to reach them; may be empty.
    pub operator: String,
}

/// A request and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub url: &'a CanonicalUrl,
    /// When it was asked.
    pub unix_seconds: u64,
    /// Of the server.
    pub ip: IpAddr,
    pub request_headers: &'a HeaderMap,
    pub status: u16,
    pub version: Version,
    pub headers: &'a HeaderMap,
    /// With its content encodings, without transfer encodings.
    pub body: &'a [u8],
    /// Whether there was more than `body` holds.
    pub truncated: bool,
}

/// A WARC file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WarcError {
    #[error("the WARC file {file} cannot be written ({source}); see to its disk, or correct crawl.warc_dir", file = .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the system gives no random numbers for the ids of WARC records: {0}")]
    Random(getrandom::Error),
}

/// Writes WARC files into one folder.
#[derive(Debug)]
pub struct WarcWriter {
    folder: PathBuf,
    options: WarcOptions,
    /// Of the next file.
    serial: u32,
    file: Option<WarcFile>,
    /// One exchange, compressed: kept for its memory.
    buffer: Vec<u8>,
}

impl WarcWriter {
    /// A writer into this folder, which is made if it is not there. The first file is made with the first exchange;
    /// those that a crash left open are ended.
    ///
    /// # Errors
    /// [`WarcError`] when the folder cannot be made or read.
    pub fn create(folder: &Path, options: WarcOptions) -> Result<Self, WarcError> {
        std::fs::create_dir_all(folder)
            .and_then(|()| left::finish(folder))
            .map_err(|source| WarcError::File { path: folder.to_owned(), source })?;
        Ok(Self { folder: folder.to_owned(), options, serial: 0, file: None, buffer: Vec::new() })
    }

    /// Writes one exchange: a request record and, with the same time, a response or revisit record.
    ///
    /// # Errors
    /// [`WarcError`]; the file is as it was before then, and the next exchange may do better.
    pub fn write(&mut self, exchange: &Exchange<'_>) -> Result<(), WarcError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.begin()?,
        };
        let written = self.compress(exchange, &file).and_then(|()| file.append(&self.buffer));
        if written.is_ok() && file.bytes() >= self.options.max_file_bytes {
            return file.finish();
        }
        self.file = Some(file);
        written
    }

    /// Gives the file under way its name.
    ///
    /// # Errors
    /// [`WarcError`] when it cannot be written or renamed.
    pub fn close(mut self) -> Result<(), WarcError> {
        self.file.take().map_or(Ok(()), WarcFile::finish)
    }

    fn begin(&mut self) -> Result<WarcFile, WarcError> {
        let mut file = WarcFile::create(&self.folder, &mut self.serial)?;
        let info = Record::info(file.name(), &self.options)?;
        file.id = info.id().to_owned();
        self.buffer.clear();
        info.compress_into(&mut self.buffer, file.path())?;
        file.append(&self.buffer)?;
        Ok(file)
    }

    fn compress(&mut self, exchange: &Exchange<'_>, file: &WarcFile) -> Result<(), WarcError> {
        let answer = Record::answer(exchange, &file.id)?;
        let request = Record::request(exchange, &file.id, answer.id())?;
        self.buffer.clear();
        request.compress_into(&mut self.buffer, file.path())?;
        answer.compress_into(&mut self.buffer, file.path())
    }
}

/// A writer that is dropped closes its file as well as it can.
impl Drop for WarcWriter {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.file.take().map(WarcFile::finish) {
            tracing::error!(%error, "a WARC file could not be closed; it keeps the ending .open");
        }
    }
}
