//! References become links: resolved against the document's base, canonical, never back to the document itself.

use encoding_rs::Encoding;

use super::encode::{encode_query, query_encoding};
use super::walk::Reference;
use crate::model::{Link, LinkTag, Rel};
use crate::urls::{Base, CanonicalUrl, UrlRules};

/// Resolves the references of one document.
pub(super) struct Resolver<'a> {
    rules: &'a UrlRules,
    document: &'a CanonicalUrl,
    document_base: Base,
    /// Another base than the document's URL, by `base href`.
    base: Option<Base>,
    /// What query strings are encoded in, where that is not UTF-8.
    encoding: Option<&'static Encoding>,
}

impl<'a> Resolver<'a> {
    /// `None` when the document's own URL cannot be a base, which no URL that was fetched is.
    pub(super) fn new(
        document: &'a CanonicalUrl,
        base_href: Option<&str>,
        encoding: &'static Encoding,
        rules: &'a UrlRules,
    ) -> Option<Self> {
        let document_base = rules.base(document)?;
        let base = base_href.map(|href| document_base.clone().with_href(href));
        Some(Self { rules, document, document_base, base, encoding: query_encoding(encoding) })
    }

    /// The link a reference of the document makes, if it makes one.
    pub(super) fn link(&self, reference: Reference<'_>) -> Option<Link> {
        // By far the most common reference that is no link.
        if self.base.is_none() && reference.url.starts_with('#') {
            return None;
        }
        let target = self.in_document(reference.url).filter(|target| target != self.document)?;
        Some(Link { target, tag: reference.tag, rel: reference.rel, anchor: reference.anchor })
    }

    /// The link a `Refresh` header makes, if it makes one.
    pub(super) fn header_link(&self, reference: &str) -> Option<Link> {
        let target = self.in_headers(reference).filter(|target| target != self.document)?;
        Some(Link { target, tag: LinkTag::Refresh, rel: Rel::NONE, anchor: String::new() })
    }

    /// Where a reference in the document's markup leads.
    pub(super) fn in_document(&self, reference: &str) -> Option<CanonicalUrl> {
        let base = self.base.as_ref().unwrap_or(&self.document_base);
        match self.encoding {
            None => self.rules.resolve(base, reference),
            Some(encoding) => {
                self.rules.resolve_encoded(base, reference, &|query| encode_query(encoding, query))
            }
        }
        .ok()
    }

    /// Where a reference in an HTTP header leads: there, neither `base href` nor the document's encoding count.
    pub(super) fn in_headers(&self, reference: &str) -> Option<CanonicalUrl> {
        self.rules.resolve(&self.document_base, reference).ok()
    }
}
