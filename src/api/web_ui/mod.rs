//! The web page at `/`, and its assets at `/ui/NAME`, embedded in the program. Its sources are in `src/web`.
//!
//! They are the same for every client and hold no data, so they need no credentials. Each is compressed once, when the
//! server starts. The name of an asset contains a hash of its content; caches may therefore keep it for ever.
//!
//! The headers protect the user: the web page runs its own scripts only and is shown in no frame. A click on a crawled link
//! does not reveal where the index is (Content Security Policy Level 3, Referrer Policy).

use std::collections::HashMap;
use std::io;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue, Response};

use crate::api::ApiError;
use crate::api::http::negotiation::{AcceptedCoding, ContentCoding, Format, prefers_html};
use crate::api::http::representation::{Rendered, Representation, ResponseMeta};

/// File names and contents.
static ASSETS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file that is served at `/`.
const INDEX: &str = "index.html";

/// The path under which the assets are.
const FOLDER: &str = "/ui/";

/// The number of letters and digits of the hash in a name.
const HASH_LENGTH: usize = 8;

/// Codings in which every asset is ready.
const CODINGS: [ContentCoding; 3] = [ContentCoding::Identity, ContentCoding::Gzip, ContentCoding::Zstd];

/// Headers of every response of the web page.
const PROTECTION: [(HeaderName, HeaderValue); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// The web page and its assets, ready to be sent.
pub(super) struct WebUi {
    assets: HashMap<&'static str, Asset>,
}

struct Asset {
    /// In the order of [`CODINGS`].
    representations: Vec<Representation>,
    cache_control: HeaderValue,
}

impl WebUi {
    /// # Errors
    /// When the system has no memory for the compressor.
    pub(super) fn new(compress_min_bytes: usize) -> io::Result<Self> {
        let asset = |(name, content): &(&'static str, &[u8])| -> io::Result<(&'static str, Asset)> {
            Ok((*name, Asset::new(name, content, compress_min_bytes)?))
        };
        Ok(Self { assets: ASSETS.iter().map(asset).collect::<io::Result<_>>()? })
    }

    /// Whether the path is that of an asset, existing or not.
    pub(super) fn is_asset(path: &str) -> bool {
        path.starts_with(FOLDER)
    }

    /// Returns the response to a GET or HEAD request for the web page or an asset; `None` for any other path, and for a
    /// client that does not prefer HTML at `/`.
    pub(super) fn respond(
        &self,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Result<Response<Bytes>, ApiError>> {
        let name = match path {
            "/" if prefers_html(headers) => INDEX,
            _ => path.strip_prefix(FOLDER)?,
        };
        let Some(asset) = self.assets.get(name) else {
            return Some(Err(ApiError::NotFound(path.to_owned())));
        };
        Some(Ok(asset.response(headers)))
    }
}

impl Asset {
    fn new(name: &'static str, content: &[u8], compress_min_bytes: usize) -> io::Result<Self> {
        let represent = |coding| {
            let format = Format::Document(media_type(name));
            let meta = ResponseMeta { format, ..ResponseMeta::json(name == INDEX) };
            let rendered = Rendered { body: content.to_vec(), meta, cacheable: true };
            Representation::new(
                rendered,
                AcceptedCoding { coding, identity_refused: false },
                compress_min_bytes,
            )
        };
        let cache_control = if has_hash(name) { "public, max-age=31536000, immutable" } else { "no-cache" };
        Ok(Self {
            representations: CODINGS.into_iter().map(represent).collect::<io::Result<_>>()?,
            cache_control: HeaderValue::from_static(cache_control),
        })
    }

    fn response(&self, request: &HeaderMap) -> Response<Bytes> {
        let coding = AcceptedCoding::from_headers(request).coding;
        let ready = CODINGS.iter().zip(&self.representations).find(|(ready, _)| **ready == coding);
        let mut response = ready.map_or_else(Response::default, |(_, ready)| ready.response(request));
        let headers = response.headers_mut();
        headers.extend(PROTECTION);
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        response
    }
}

/// Whether the name contains a hash of the content: `main-SSRWFJWO.js`.
fn has_hash(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let is_hash_byte = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    stem.rsplit_once('-').is_some_and(|(_, hash)| hash.len() == HASH_LENGTH && hash.bytes().all(is_hash_byte))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for (name, hashed) in [
            ("main-SSRWFJWO.js", true),
            ("chunk-2MHAVOVQ.js", true),
            ("de-EBYDY3KL.js", true),
            ("index.html", false),
            ("LICENSES.txt", false),
            ("main-ssrwfjwo.js", false),
            ("a-SSRW.js", false),
        ] {
            assert_eq!(has_hash(name), hashed, "{name}");
        }
    }

    #[test]
    fn every_asset_has_a_media_type() {
        assert!(ASSETS.iter().any(|(name, _)| *name == INDEX));
        for (name, _) in ASSETS {
            assert_ne!(media_type(name), "application/octet-stream", "{name}");
        }
    }
}
