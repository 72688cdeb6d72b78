//! Writes WARC files of fetched resources, in the format WARC/1.1 (ISO 28500:2017,
//! <https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/>).
//!
//! The input is an [`HttpExchange`], one request with its response. The output is two records, each a separate gzip
//! member, in files that other tools read. A file starts with a `warcinfo` record. It is written as
//! `NAME.warc.gz.open`, and renamed when it is full and the next one starts, or when the writer is closed. Each
//! record is written by one call. After a crash, all records of a `.open` file are whole, except perhaps the last.
//! The next writer into the folder cuts that record off and renames the file; it removes an empty one.
//!
//! * Bodies are stored as received, with content encodings and without transfer encodings. The stored headers must
//!   match the stored bytes. So `Transfer-Encoding` becomes `X-Crawler-Transfer-Encoding`, and a `Content-Length`
//!   with another value becomes `X-Crawler-Content-Length`, as in Common Crawl.
//! * Header names are in lower case, because the HTTP client provides them so. Responses over HTTP/2 are stored as
//!   HTTP/1.1, which readers know, with `WARC-Protocol: h2`.
//! * A 304 is a `revisit` record with the profile server-not-modified.
//!
//! This module does not decide what to archive.

mod file;
mod record;
mod recovery;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Version};

use super::Truncation;
use crate::private_files::make_private_directory;
use crate::urls::CanonicalUrl;
use file::WarcFile;
use record::Record;

/// Options of a writer, the same for all its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarcOptions {
    /// Compressed size in bytes from which a file is full.
    pub max_file_bytes: u64,
    /// Name and version of the program.
    pub software: String,
    /// Operator of the crawl and a contact; may be empty.
    pub operator: String,
}

/// A request and its response.
#[derive(Clone, Copy, Debug)]
pub struct HttpExchange<'a> {
    pub url: &'a CanonicalUrl,
    /// Time of the request.
    pub unix_seconds: u64,
    /// Address of the server.
    pub ip: IpAddr,
    pub request_headers: &'a HeaderMap,
    pub status: u16,
    pub version: Version,
    pub headers: &'a HeaderMap,
    /// With content encodings, without transfer encodings.
    pub body: &'a [u8],
    /// Why `body` is incomplete; `None` when it is whole.
    pub truncation: Option<Truncation>,
}

/// A failed write of a WARC file.
#[derive(Debug, thiserror::Error)]
pub enum WarcError {
    #[error("the WARC file {file} cannot be written ({source}); check its disk, or correct crawl.warc_dir", file = .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("a WARC record cannot be compressed: {0}")]
    Compress(std::io::Error),
    #[error("the system gives no random numbers for the ids of WARC records: {0}")]
    Random(getrandom::Error),
}

/// Writes WARC files into one folder. Threads may share it: writes are serialised, compression is not.
#[derive(Debug)]
pub struct WarcWriter {
    folder: PathBuf,
    options: WarcOptions,
    current: Mutex<CurrentFile>,
}

#[derive(Debug, Default)]
struct CurrentFile {
    /// Serial number of the next file.
    serial: u32,
    file: Option<WarcFile>,
    closed: bool,
}

impl WarcWriter {
    /// A writer into this folder, which is created if it is missing. The first exchange creates the first file. Open
    /// files of crashed writers are completed.
    ///
    /// # Errors
    /// [`WarcError`] when the folder cannot be created or read.
    pub fn create(folder: &Path, options: WarcOptions) -> Result<Self, WarcError> {
        make_private_directory(folder)
            .and_then(|()| recovery::finish_open_files(folder))
            .map_err(|source| WarcError::File { path: folder.to_owned(), source })?;
        Ok(Self { folder: folder.to_owned(), options, current: Mutex::default() })
    }

    /// Writes one exchange: a request record and, with the same time, a response or revisit record. After
    /// [`Self::close`] this does nothing.
    ///
    /// # Errors
    /// [`WarcError`]. No part of the exchange stays in the file, and a later write may succeed.
    pub fn write(&self, exchange: &HttpExchange<'_>) -> Result<(), WarcError> {
        loop {
            let Some(info) = self.current_warcinfo()? else { return Ok(()) };
            let records = compressed(exchange, &info)?;
            let mut current = self.lock();
            // The file may have been replaced meanwhile, and records refer to the warcinfo of their file.
            if let Some(file) = current.file.as_mut().filter(|file| file.id == info) {
                return file.append(&records);
            }
        }
    }

    /// Completes the current file and closes the writer.
    ///
    /// # Errors
    /// [`WarcError`] when the file cannot be written or renamed.
    pub fn close(&self) -> Result<(), WarcError> {
        let mut current = self.lock();
        current.closed = true;
        current.finish()
    }

    /// The id of the warcinfo record of the current file; starts a file if there is none with room. `None` once
    /// closed.
    fn current_warcinfo(&self) -> Result<Option<String>, WarcError> {
        let mut current = self.lock();
        if current.closed {
            return Ok(None);
        }
        if current.file.as_ref().is_some_and(|file| file.bytes() >= self.options.max_file_bytes) {
            current.finish()?;
        }
        if current.file.is_none() {
            current.file = Some(self.begin_file(&mut current.serial)?);
        }
        Ok(current.file.as_ref().map(|file| file.id.clone()))
    }

    fn begin_file(&self, serial: &mut u32) -> Result<WarcFile, WarcError> {
        let mut file = WarcFile::create(&self.folder, serial)?;
        let written = Record::info(file.name(), &self.options).and_then(|info| {
            file.id = info.id().to_owned();
            let mut records = Vec::new();
            info.compress_into(&mut records)?;
            file.append(&records)
        });
        match written {
            Ok(()) => Ok(file),
            Err(error) => {
                file.discard();
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, CurrentFile> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CurrentFile {
    /// After this, the next exchange starts another file, even if completing this one fails.
    fn finish(&mut self) -> Result<(), WarcError> {
        self.file.take().map_or(Ok(()), |file| file.finish())
    }
}

/// The compressed records of an exchange, for the file whose warcinfo record has this id.
fn compressed(exchange: &HttpExchange<'_>, info: &str) -> Result<Vec<u8>, WarcError> {
    let response = Record::response(exchange, info)?;
    let request = Record::request(exchange, info, response.id())?;
    let mut records = Vec::new();
    request.compress_into(&mut records)?;
    response.compress_into(&mut records)?;
    Ok(records)
}

/// Dropping a writer closes its file; an error is only logged.
impl Drop for WarcWriter {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "a WARC file could not be closed; it keeps the suffix .open");
        }
    }
}
