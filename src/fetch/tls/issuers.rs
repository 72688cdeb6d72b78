//! The certificates of issuers, fetched where a server leaves them out of its chain, and kept for other servers.
//!
//! Servers that were set up without their authority's intermediate certificate work in browsers, which know it from
//! elsewhere or fetch it from where the server's certificate says it is published (RFC 5280, 4.2.2.1). So does this
//! store. What it gives is never trusted: it only helps to find a path to an authority that is.
//!
//! A URL is asked once, however many servers need it, also at the same time. What came of it holds for
//! `fetch.issuer_ttl`, a failure for `fetch.issuer_negative_ttl`; of URLs used longest ago it is forgotten beyond
//! `fetch.issuer_cache_bytes`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;

use super::certificate::{Certificate, Chain};
use super::download::Download;
use crate::config::FetchConfig;
use crate::fetch::failure::{Blame, Failure};
use crate::lru::Lru;

/// What one URL gave.
type Found = Result<Arc<[Certificate]>, Failure>;

/// See the module.
#[derive(Debug)]
pub(super) struct IssuerStore {
    slots: Mutex<Lru<Box<str>, Arc<Slot>>>,
    /// URLs that are asked for one chain at most.
    max_urls: usize,
    ttl: Duration,
    negative_ttl: Duration,
}

/// A URL's place in the store.
#[derive(Debug, Default)]
struct Slot {
    /// Held while the URL is asked.
    turn: tokio::sync::Mutex<()>,
    found: Mutex<Option<(Found, Instant)>>,
}

/// Why a chain could not be completed.
#[derive(Debug)]
pub(super) struct Incomplete {
    /// What the chain is refused for, with all that could be had.
    pub error: CertificateError,
    /// What went wrong on the way, if anything did.
    pub obstacle: Option<String>,
}

impl IssuerStore {
    pub fn new(config: &FetchConfig) -> Self {
        Self {
            slots: Mutex::new(Lru::new(config.issuer_cache_bytes)),
            max_urls: config.max_issuer_urls,
            ttl: config.issuer_ttl.0,
            negative_ttl: config.issuer_negative_ttl.0,
        }
    }

    /// How long a chain counts as one that cannot be completed.
    pub fn negative_ttl(&self) -> Duration {
        self.negative_ttl
    }

    /// Whether there is a URL to ask for an issuer that a chain lacks.
    pub fn may_complete(&self, chain: &Chain) -> bool {
        self.max_urls > 0 && !Search::new(chain, self.max_urls).open.is_empty()
    }

    /// The issuers that a chain lacks, as far as they are known.
    pub fn known(&self, chain: &Chain) -> Vec<CertificateDer<'static>> {
        let mut search = Search::new(chain, self.max_urls);
        while let Some(step) = search.next() {
            if let Some(Ok(found)) = self.find(&step.url).and_then(|slot| slot.read()) {
                search.add(&step, &found);
            }
        }
        search.issuers
    }

    /// Fetches the issuers that a chain lacks, one step up the chain after the other, until `verify` accepts the chain
    /// with them.
    ///
    /// # Errors
    /// [`Incomplete`] when it does not.
    pub async fn complete(
        &self,
        chain: &Chain,
        verify: impl Fn(&[CertificateDer<'_>]) -> Result<(), CertificateError>,
        download: &Download<'_>,
    ) -> Result<(), Incomplete> {
        let mut search = Search::new(chain, self.max_urls);
        let mut obstacle = None;
        while let Some(step) = search.next() {
            match self.get(&step.url, download).await {
                Ok(found) if search.add(&step, &found) => {}
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
                Err(error) => return Err(Incomplete { error, obstacle: None }),
            }
        }
        Err(Incomplete { error: CertificateError::UnknownIssuer, obstacle })
    }

    /// What a URL gives: from the store, or fetched.
    async fn get(&self, url: &str, download: &Download<'_>) -> Found {
        let slot = self.find(url).unwrap_or_else(|| self.keep(url, Arc::default(), 0));
        let _turn = slot.turn.lock().await;
        if let Some(found) = slot.read() {
            return found;
        }
        let found: Found = download.get(url).await.map(Into::into);
        let (ttl, weight) = match &found {
            Ok(certificates) => (self.ttl, certificates.iter().map(Certificate::weight).sum()),
            // Nobody was asked.
            Err(failure) if failure.blame != Blame::Host => return found,
            Err(failure) => (self.negative_ttl, failure.detail.len()),
        };
        tracing::debug!(
            url,
            certificates = found.as_ref().map_or(0, |found| found.len()),
            "an issuer's certificate was asked for"
        );
        slot.write(found.clone(), Instant::now() + ttl);
        self.keep(url, slot.clone(), weight);
        found
    }

    fn find(&self, url: &str) -> Option<Arc<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(&Box::from(url)).cloned()
    }

    fn keep(&self, url: &str, slot: Arc<Slot>, weight: usize) -> Arc<Slot> {
        let weight = weight + size_of::<Slot>() + 2 * url.len();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.insert(Box::from(url), slot.clone(), weight);
        slot
    }
}

impl Slot {
    /// What is known and still holds.
    fn read(&self) -> Option<Found> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, until) = found.as_ref()?;
        (*until > Instant::now()).then(|| found.clone())
    }

    fn write(&self, found: Found, until: Instant) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some((found, until));
    }
}

/// The way up a chain: the URLs that are still to be asked, those of the certificate highest up first.
struct Search {
    open: Vec<Step>,
    asked: HashSet<String>,
    /// URLs that may still be asked.
    left: usize,
    issuers: Vec<CertificateDer<'static>>,
}

/// A URL where the issuer of a certificate is published.
struct Step {
    url: String,
    of: Arc<Certificate>,
}

impl Search {
    fn new(chain: &Chain, max_urls: usize) -> Self {
        let mut search =
            Self { open: Vec::new(), asked: HashSet::new(), left: max_urls, issuers: Vec::new() };
        chain.path().into_iter().for_each(|certificate| search.open_all(certificate));
        search
    }

    /// Adds the URLs that a certificate names, the first of them on top.
    fn open_all(&mut self, certificate: Certificate) {
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

    /// Takes what a step found; whether there is an issuer among it that was not there before. A root is none: where it
    /// is trusted, it need not be in the chain.
    fn add(&mut self, step: &Step, found: &[Certificate]) -> bool {
        let before = self.issuers.len();
        for certificate in found {
            let fits = certificate.issues(&step.of) && !certificate.is_self_issued();
            if fits && !self.issuers.contains(&certificate.der) {
                self.issuers.push(certificate.der.clone());
                self.open_all(certificate.clone());
            }
        }
        self.issuers.len() > before
    }
}
