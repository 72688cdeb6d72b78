//! WARC files of what was fetched, by WARC/1.1 (ISO 28500:2017,
//! <https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/>).
//!
//! In goes an [`Exchange`], one request with its answer; out come two records, each a gzip member of its own, in files
//! that other tools read. A file begins with a `warcinfo` record, is written as `NAME.warc.gz.open` and gets its name
//! when it is full and the next one begins, or the writer is closed. A record reaches the file in one piece: a crash
//! leaves a `.open` file whose records are whole up to the last, which may be cut. The next writer into the folder cuts
//! that one off and gives the file its name; an empty one it removes.
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

use std::fs::DirBuilder;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// Why `body` is not whole; `None` when it is.
    pub truncation: Option<Truncation>,
}

/// Why a record does not hold all of a body (WARC 1.1, 5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    Length,
    Time,
    Disconnect,
    Unspecified,
}

impl Truncation {
    /// The value of the WARC-Truncated field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Unspecified => "unspecified",
        }
    }
}

/// A WARC file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WarcError {
    #[error("the WARC file {file} cannot be written ({source}); see to its disk, or correct crawl.warc_dir", file = .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("a WARC record cannot be compressed: {0}")]
    Compress(std::io::Error),
    #[error("the system gives no random numbers for the ids of WARC records: {0}")]
    Random(getrandom::Error),
}

/// Writes WARC files into one folder. Threads may share it: they wait for each other to write, not to compress.
#[derive(Debug)]
pub struct WarcWriter {
    folder: PathBuf,
    options: WarcOptions,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    /// Of the next file.
    serial: u32,
    file: Option<WarcFile>,
    closed: bool,
}

impl WarcWriter {
    /// A writer into this folder, which is made if it is not there. The first file is made with the first exchange;
    /// those that a crash left open are ended.
    ///
    /// # Errors
    /// [`WarcError`] when the folder cannot be made or read.
    pub fn create(folder: &Path, options: WarcOptions) -> Result<Self, WarcError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .and_then(|()| left::finish(folder))
            .map_err(|source| WarcError::File { path: folder.to_owned(), source })?;
        Ok(Self { folder: folder.to_owned(), options, under_way: Mutex::default() })
    }

    /// Writes one exchange: a request record and, with the same time, a response or revisit record. What comes after
    /// [`Self::close`] is not kept.
    ///
    /// # Errors
    /// [`WarcError`]; no part of it stays in the file then, and the next exchange, or this one again, may do better.
    pub fn write(&self, exchange: &Exchange<'_>) -> Result<(), WarcError> {
        loop {
            let Some(info) = self.info()? else { return Ok(()) };
            let records = compressed(exchange, &info)?;
            let mut under_way = self.lock();
            // Meanwhile the file may have been filled, and records name the first of their own.
            if let Some(file) = under_way.file.as_mut().filter(|file| file.id == info) {
                return file.append(&records);
            }
        }
    }

    /// Gives the file under way its name, and is done.
    ///
    /// # Errors
    /// [`WarcError`] when it cannot be written or renamed.
    pub fn close(&self) -> Result<(), WarcError> {
        let mut under_way = self.lock();
        under_way.closed = true;
        under_way.finish()
    }

    /// The id of the warcinfo record of the file under way, which is begun if there is none that has room; `None`
    /// after the end.
    fn info(&self) -> Result<Option<String>, WarcError> {
        let mut under_way = self.lock();
        if under_way.closed {
            return Ok(None);
        }
        if under_way.file.as_ref().is_some_and(|file| file.bytes() >= self.options.max_file_bytes) {
            under_way.finish()?;
        }
        if under_way.file.is_none() {
            under_way.file = Some(self.begin(&mut under_way.serial)?);
        }
        Ok(under_way.file.as_ref().map(|file| file.id.clone()))
    }

    fn begin(&self, serial: &mut u32) -> Result<WarcFile, WarcError> {
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

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// Whether it succeeds or not, the next exchange comes into another file.
    fn finish(&mut self) -> Result<(), WarcError> {
        self.file.take().map_or(Ok(()), |file| file.finish())
    }
}

/// The records of an exchange, for the file whose warcinfo record has this id.
fn compressed(exchange: &Exchange<'_>, info: &str) -> Result<Vec<u8>, WarcError> {
    let answer = Record::answer(exchange, info)?;
    let request = Record::request(exchange, info, answer.id())?;
    let mut records = Vec::new();
    request.compress_into(&mut records)?;
    answer.compress_into(&mut records)?;
    Ok(records)
}

/// A writer that is dropped closes its file as well as it can.
impl Drop for WarcWriter {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "a WARC file could not be closed; it keeps the ending .open");
        }
    }
}
