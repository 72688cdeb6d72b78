//! Resolves references against the base of the document. The links have canonical targets other than the document
//! itself.

use encoding_rs::Encoding;

use super::walk::Reference;
use crate::model::{Link, LinkTag, Rel};
use crate::parse::encoding::query::{encode_query, query_encoding};
use crate::urls::{Base, CanonicalUrl, UrlRules};

/// Resolves the references of one document.
pub(crate) struct ReferenceResolver<'a> {
    rules: &'a UrlRules,
    document: &'a CanonicalUrl,
    document_base: Base,
    /// The base of `base href`, if it differs from the URL of the document.
    base: Option<Base>,
    /// The encoding of query strings; `None` for UTF-8.
    encoding: Option<&'static Encoding>,
}

impl<'a> ReferenceResolver<'a> {
    /// `None` when the URL of the document cannot be a base, which does not happen for a fetched URL.
    pub(crate) fn new(
        document: &'a CanonicalUrl,
        base_href: Option<&str>,
        encoding: &'static Encoding,
        rules: &'a UrlRules,
    ) -> Option<Self> {
        let document_base = rules.base(document)?;
        let base = base_href.map(|href| document_base.clone().with_href(href));
        Some(Self { rules, document, document_base, base, encoding: query_encoding(encoding) })
    }

    /// The link of a reference in the document, if it is one.
    pub(crate) fn link(&self, reference: Reference<'_>) -> Option<Link> {
        // By far the most common reference that is not a link.
        if self.base.is_none() && reference.url.starts_with('#') {
            return None;
        }
        let target = self.in_document(reference.url).filter(|target| target != self.document)?;
        Some(Link { target, tag: reference.tag, rel: reference.rel, anchor: reference.anchor })
    }

    /// The link of a `Refresh` header, if it is one.
    pub(crate) fn header_link(&self, reference: &str) -> Option<Link> {
        let target = self.in_headers(reference).filter(|target| target != self.document)?;
        Some(Link { target, tag: LinkTag::Refresh, rel: Rel::NONE, anchor: String::new() })
    }

    /// The target of a reference in the markup of the document.
    pub(crate) fn in_document(&self, reference: &str) -> Option<CanonicalUrl> {
        let base = self.base.as_ref().unwrap_or(&self.document_base);
        match self.encoding {
            None => self.rules.resolve(base, reference),
            Some(encoding) => {
                self.rules.resolve_encoded(base, reference, &|query| encode_query(encoding, query))
            }
        }
        .ok()
    }

    /// The target of a reference in an HTTP header, where neither `base href` nor the encoding of the document
    /// applies.
    pub(crate) fn in_headers(&self, reference: &str) -> Option<CanonicalUrl> {
        self.rules.resolve(&self.document_base, reference).ok()
    }
}
