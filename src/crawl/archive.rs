//! The WARC files of a crawl: every answer that was fetched, be it a page, a sitemap or a robots.txt, as it came; but
//! for the bodies that are not read because they are no HTML.

use std::sync::Arc;

use super::desk::Fetched;
use crate::config::{Config, FetchConfig};
use crate::fetch::{Answer, FetchOutcome, Fetcher};
use crate::model::Cut;
use crate::warc::{Exchange, Truncation, WarcError, WarcOptions, WarcWriter};

/// The reason of a WARC-Truncated field, if the record is to have one. What the parser leaves out is in the record.
fn truncation(answer: &Answer, config: &FetchConfig) -> Option<Truncation> {
    match answer.cut {
        Some(Cut::Length) => Some(Truncation::Length),
        Some(Cut::Time) => Some(Truncation::Time),
        Some(Cut::Disconnect) => Some(Truncation::Disconnect),
        Some(Cut::Encoding | Cut::Document) => Some(Truncation::Unspecified),
        None if answer.unread => Some(Truncation::Unspecified),
        // The text is checked where there is one: a gzip stream without its trailer, say.
        None if answer.content_encoding.is_empty() => None,
        None => {
            let is_broken = answer
                .decode(config.decoded_cap(answer.body.len()))
                .map_or(true, |body| body.cut == Some(Cut::Encoding));
            is_broken.then_some(Truncation::Unspecified)
        }
    }
}

/// The files, and who knows what was asked.
pub(super) struct Archive {
    writer: WarcWriter,
    fetcher: Arc<Fetcher>,
    /// What a body may unfold to.
    config: FetchConfig,
}

impl Archive {
    /// Begins to write where `crawl.warc_dir` says; `None` where it says nothing.
    pub fn create(config: &Config, fetcher: &Arc<Fetcher>) -> Result<Option<Self>, WarcError> {
        let folder = &config.crawl.warc_dir;
        if folder.as_os_str().is_empty() {
            return Ok(None);
        }
        let options = WarcOptions {
            max_file_bytes: config.crawl.warc_max_bytes,
            software: format!("backlinkd/{}", env!("CARGO_PKG_VERSION")),
            operator: config.fetch.contact.clone(),
        };
        let writer = WarcWriter::create(folder, options)?;
        Ok(Some(Self { writer, fetcher: Arc::clone(fetcher), config: config.fetch.clone() }))
    }

    /// Writes what was asked, and its answer, if there is one.
    pub fn keep(&self, fetched: &Fetched) -> Result<(), WarcError> {
        let FetchOutcome::Answered(answer) = &fetched.outcome else { return Ok(()) };
        let request_headers = self.fetcher.request_headers(
            &fetched.url,
            fetched.validators.as_ref(),
            fetched.chain.as_ref().map(|chain| &chain.cookies),
        );
        self.writer.write(&Exchange {
            url: &fetched.url,
            unix_seconds: fetched.begun,
            ip: answer.ip,
            request_headers: &request_headers,
            status: answer.status,
            version: answer.version,
            headers: &answer.headers,
            body: &answer.body,
            truncation: truncation(answer, &self.config),
        })
    }

    /// Ends the last file. What comes later is not kept.
    pub fn close(&self) -> Result<(), WarcError> {
        self.writer.close()
    }
}
