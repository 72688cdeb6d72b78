//! The WARC files of a crawl. They hold every response as it was received: pages, sitemaps and robots.txt
//! files. Only the bodies that the crawl does not read, because they are no HTML, are missing.

use std::sync::Arc;

use super::messages::FetchedResponse;
use crate::config::{CrawlConfig, FetchConfig};
use crate::fetch::{FetchOutcome, Fetcher, Response};
use crate::model::Cut;
use crate::warc::{HttpExchange, Truncation, WarcError, WarcOptions, WarcWriter};

/// The reason of the WARC-Truncated field, if there is one. Parser limits do not count, because the record
/// has the whole body.
fn truncation(response: &Response, config: &FetchConfig) -> Option<Truncation> {
    match response.cut {
        Some(Cut::Length) => Some(Truncation::Length),
        Some(Cut::Time) => Some(Truncation::Time),
        Some(Cut::Disconnect) => Some(Truncation::Disconnect),
        Some(Cut::Encoding | Cut::Document) => Some(Truncation::Unspecified),
        None if response.unread => Some(Truncation::Unspecified),
        // The body is decoded to check it: a gzip stream may lack its trailer.
        None if response.content_encoding.is_empty() => None,
        None => {
            let is_broken = response
                .decode(config.decoded_cap(response.body.len()))
                .map_or(true, |body| body.cut == Some(Cut::Encoding));
            is_broken.then_some(Truncation::Unspecified)
        }
    }
}

/// The WARC writer, and the fetcher that knows the request headers.
pub(super) struct Archive {
    writer: WarcWriter,
    fetcher: Arc<Fetcher>,
    /// Limits the size of decoded bodies.
    config: FetchConfig,
}

impl Archive {
    /// Opens the archive in `crawl.warc_dir`; `None` when that is empty.
    pub(super) fn create(
        crawl: &CrawlConfig,
        fetch: &FetchConfig,
        fetcher: &Arc<Fetcher>,
    ) -> Result<Option<Self>, WarcError> {
        let folder = &crawl.warc_dir;
        if folder.as_os_str().is_empty() {
            return Ok(None);
        }
        let options = WarcOptions {
            max_file_bytes: crawl.warc_max_bytes,
            software: format!("backlinkd/{}", env!("CARGO_PKG_VERSION")),
            operator: fetch.contact.clone(),
        };
        let writer = WarcWriter::create(folder, options)?;
        Ok(Some(Self { writer, fetcher: Arc::clone(fetcher), config: fetch.clone() }))
    }

    /// Writes a request and its response, if there is one.
    pub(super) fn write(&self, fetched: &FetchedResponse) -> Result<(), WarcError> {
        let FetchOutcome::Responded(response) = &fetched.outcome else { return Ok(()) };
        let request_headers = self.fetcher.request_headers(
            &fetched.requested,
            fetched.validators.as_ref(),
            fetched.chain.as_ref().map(|chain| &chain.cookies),
        );
        self.writer.write(&HttpExchange {
            url: &fetched.requested,
            unix_seconds: fetched.requested_at,
            ip: response.ip,
            request_headers: &request_headers,
            status: response.status,
            version: response.version,
            headers: &response.headers,
            body: &response.body,
            truncation: truncation(response, &self.config),
        })
    }

    /// Closes the last file. Later responses are not archived.
    pub(super) fn close(&self) -> Result<(), WarcError> {
        self.writer.close()
    }
}
