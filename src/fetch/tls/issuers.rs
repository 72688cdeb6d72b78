//! Issuer certificates that servers leave out of their chain: downloads them and caches them for other servers.
//!
//! A server without its authority's intermediate certificate works in browsers. They know the certificate from
//! elsewhere, or download it from the URL in the server certificate (RFC 5280, 4.2.2.1). This store does the latter.
//! Its certificates are never trusted: they only help to find a path to a trusted authority.
//!
//! A URL is requested once, even if several servers need it at the same time. The result is valid for
//! `fetch.issuer_ttl`, a failure for `fetch.issuer_negative_ttl`. Beyond `fetch.issuer_cache_bytes` the least
//! recently used URLs are dropped.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;

use super::certificate::{Certificate, Chain};
use super::issuer_download::IssuerDownload;
use crate::config::FetchConfig;
use crate::fetch::failure::{Blame, Failure};
use crate::lru::Lru;

/// The result for one URL.
type Lookup = Result<Arc<[Certificate]>, Failure>;

/// The cache of issuer certificates.
#[derive(Debug)]
pub(super) struct IssuerStore {
    slots: Mutex<Lru<Box<str>, Arc<CacheSlot>>>,
    /// Maximum number of URLs requested for one chain.
    max_urls: usize,
    ttl: Duration,
    negative_ttl: Duration,
}

/// The cache entry of a URL.
#[derive(Debug, Default)]
struct CacheSlot {
    /// Held while the URL is requested.
    turn: tokio::sync::Mutex<()>,
    found: Mutex<Option<(Lookup, Instant)>>,
}

/// The reason why a chain could not be completed.
#[derive(Debug)]
pub(super) struct StillIncomplete {
    /// Why the chain is rejected, with all available issuers.
    pub error: CertificateError,
    /// The first error on the way, if there was one.
    pub obstacle: Option<String>,
}

impl IssuerStore {
    pub(super) fn new(config: &FetchConfig) -> Self {
        Self {
            slots: Mutex::new(Lru::new(config.issuer_cache_bytes)),
            max_urls: config.max_issuer_urls,
            ttl: config.issuer_ttl.0,
            negative_ttl: config.issuer_negative_ttl.0,
        }
    }

    /// How long a chain counts as incompletable.
    pub(super) fn negative_ttl(&self) -> Duration {
        self.negative_ttl
    }

    /// Whether a URL may provide a missing issuer of a chain.
    pub(super) fn may_complete(&self, chain: &Chain) -> bool {
        self.max_urls > 0 && !Search::new(chain, self.max_urls).open.is_empty()
    }

    /// The cached issuers that a chain lacks.
    pub(super) fn cached_issuers(&self, chain: &Chain) -> Vec<CertificateDer<'static>> {
        let mut search = Search::new(chain, self.max_urls);
        while let Some(step) = search.next() {
            if let Some(Ok(found)) = self.entry(&step.url).and_then(|slot| slot.get()) {
                search.add_issuers(&step, &found);
            }
        }
        search.issuers
    }

    /// Downloads the issuers that a chain lacks, upwards one by one, until `verify` accepts the chain with them.
    ///
    /// # Errors
    /// [`StillIncomplete`] when it never does.
    pub(super) async fn complete(
        &self,
        chain: &Chain,
        verify: impl Fn(&[CertificateDer<'_>]) -> Result<(), CertificateError>,
        download: &IssuerDownload<'_>,
    ) -> Result<(), StillIncomplete> {
        let mut search = Search::new(chain, self.max_urls);
        let mut obstacle = None;
        while let Some(step) = search.next() {
            match self.get_or_download(&step.url, download).await {
                Ok(found) if search.add_issuers(&step, &found) => {}
                Ok(_) => {
                    obstacle.get_or_insert(format!("{} is no certificate of that issuer", step.url));
                    continue;
                }
                Err(failure) => {
                    obstacle.get_or_insert(format!("{}: {failure}", step.url));
                    continue;
                }
            }
            match verify(&search.issuers) {
                Ok(()) => return Ok(()),
                Err(CertificateError::UnknownIssuer) => {}
                Err(error) => return Err(StillIncomplete { error, obstacle: None }),
            }
        }
        Err(StillIncomplete { error: CertificateError::UnknownIssuer, obstacle })
    }

    /// The certificates at a URL: cached, or downloaded.
    async fn get_or_download(&self, url: &str, download: &IssuerDownload<'_>) -> Lookup {
        let slot = self.entry(url).unwrap_or_else(|| self.insert(url, Arc::default(), 0));
        let _turn = slot.turn.lock().await;
        if let Some(found) = slot.get() {
            return found;
        }
        let found: Lookup = download.certificates(url).await.map(Into::into);
        let (ttl, weight) = match &found {
            Ok(certificates) => (self.ttl, certificates.iter().map(Certificate::weight).sum()),
            // No request was sent.
            Err(failure) if failure.blame != Blame::Host => return found,
            Err(failure) => (self.negative_ttl, failure.detail.len()),
        };
        tracing::debug!(
            url,
            certificates = found.as_ref().map_or(0, |found| found.len()),
            "an issuer's certificate was asked for"
        );
        slot.set(found.clone(), Instant::now() + ttl);
        self.insert(url, slot.clone(), weight);
        found
    }

    fn entry(&self, url: &str) -> Option<Arc<CacheSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned()
    }

    fn insert(&self, url: &str, slot: Arc<CacheSlot>, weight: usize) -> Arc<CacheSlot> {
        let weight = weight + size_of::<CacheSlot>() + 2 * url.len();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.insert(Box::from(url), slot.clone(), weight);
        slot
    }
}

impl CacheSlot {
    /// The valid cached result.
    fn get(&self) -> Option<Lookup> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, until) = found.as_ref()?;
        (*until > Instant::now()).then(|| found.clone())
    }

    fn set(&self, found: Lookup, until: Instant) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some((found, until));
    }
}

/// The search up a chain: the URLs still to request, those of the highest certificate first.
struct Search {
    open: Vec<Step>,
    asked: HashSet<String>,
    /// Number of URLs that may still be requested.
    left: usize,
    issuers: Vec<CertificateDer<'static>>,
}

/// A URL with the issuer of a certificate.
struct Step {
    url: String,
    of: Arc<Certificate>,
}

impl Search {
    fn new(chain: &Chain, max_urls: usize) -> Self {
        let mut search =
            Self { open: Vec::new(), asked: HashSet::new(), left: max_urls, issuers: Vec::new() };
        chain.path().into_iter().for_each(|certificate| search.push_urls(certificate));
        search
    }

    /// Adds the URLs in a certificate, the first one on top.
    fn push_urls(&mut self, certificate: Certificate) {
        if certificate.is_self_issued() {
            return;
        }
        let of = Arc::new(certificate);
        let steps = of.issuer_urls.iter().rev().map(|url| Step { url: url.clone(), of: of.clone() });
        self.open.extend(steps);
    }

    fn next(&mut self) -> Option<Step> {
        while let Some(step) = self.open.pop() {
            if self.asked.insert(step.url.clone()) {
                self.left = self.left.checked_sub(1)?;
                return Some(step);
            }
        }
        None
    }

    /// Adds the certificates found in a step. Returns whether one is a new issuer. A root is not: a trusted one need
    /// not be in the chain.
    fn add_issuers(&mut self, step: &Step, found: &[Certificate]) -> bool {
        let before = self.issuers.len();
        for certificate in found {
            let fits = certificate.issues(&step.of) && !certificate.is_self_issued();
            if fits && !self.issuers.contains(&certificate.der) {
                self.issuers.push(certificate.der.clone());
                self.push_urls(certificate.clone());
            }
        }
        self.issuers.len() > before
    }
}
