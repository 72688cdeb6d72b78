//! The WARC files of a crawl: every answer that was fetched, be it a page, a sitemap or a robots.txt, as it came.

use std::sync::{Mutex, PoisonError};

use crate::config::Config;
use crate::fetch::{Answer, Fetcher, Validators};
use crate::urls::CanonicalUrl;
use crate::warc::{Exchange, WarcError, WarcOptions, WarcWriter};

/// The writer, until it is closed.
pub(super) struct Archive(Mutex<Option<WarcWriter>>);

impl Archive {
    /// Begins to write where `crawl.warc_dir` says; `None` where it says nothing.
    pub fn create(config: &Config) -> Result<Option<Self>, WarcError> {
        let folder = &config.crawl.warc_dir;
        if folder.as_os_str().is_empty() {
            return Ok(None);
        }
        let options = WarcOptions {
            max_file_bytes: config.crawl.warc_max_bytes,
            software: format!("backlinkd/{}", env!("CARGO_PKG_VERSION")),
            operator: config.fetch.contact.clone(),
        };
        WarcWriter::create(folder, options).map(|writer| Some(Self(Mutex::new(Some(writer)))))
    }

    /// Writes what was asked at `unix_seconds`, and its answer.
    pub fn keep(
        &self,
        fetcher: &Fetcher,
        url: &CanonicalUrl,
        unix_seconds: u64,
        validators: Option<&Validators>,
        answer: &Answer,
    ) -> Result<(), WarcError> {
        let request_headers = fetcher.request_headers(url, validators);
        let exchange = Exchange {
            url,
            unix_seconds,
            ip: answer.ip,
            request_headers: &request_headers,
            status: answer.status,
            version: answer.version,
            headers: &answer.headers,
            body: &answer.body,
            truncated: answer.truncated || answer.unread,
        };
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(writer) => writer.write(&exchange),
            None => Ok(()),
        }
    }

    /// Ends the last file. What comes later is not kept.
    pub fn close(&self) -> Result<(), WarcError> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        writer.map_or(Ok(()), WarcWriter::close)
    }
}
