//! The HTML parser: extracts links, title, directives and canonical URL from the bytes of a fetched document.
//!
//! The input is an HTTP response ([`HtmlResponse`]), the output a [`ParsedPage`] that owns its data. Parsing is
//! synchronous and pure: no I/O, no clock, and the same bytes always give the same page. It cannot fail; unreadable
//! parts are left out. No other module uses an HTML parser. Call it off the async threads.
//!
//! The document is read as by a browser with scripting off (<https://html.spec.whatwg.org>), in these steps:
//!
//! * `encoding` detects the character encoding.
//! * `tokenizer` turns the text into tokens.
//! * `dom` builds the tree, with html5ever's tree builder.
//! * `collect` walks over the tree in document order, and resolves the references against the base of the document.
//!
//! XHTML goes through the HTML parser too.
//!
//! Links are:
//!
//! * `a` (HTML and SVG; `aimg` when it holds an `img`) and `area` with `href`, `iframe`, `frame`, `layer` and
//!   `ilayer` with `src`, meta refresh, and the `Refresh` header, which comes first;
//! * not elements in a `template`, or in the raw text of `script`, `style`, `textarea`, `noframes` and the like;
//!   elements in `noscript` count;
//! * not a reference without a canonical URL (another scheme than http(s), unparsable);
//! * not a reference to the document itself (RFC 3986, 4.4), which is one with the same canonical URL.
//!
//! `collect::text` defines blanks, and `collect::anchors` defines anchor texts.
//!
//! Hostile pages are bounded by the `[parse]` section of the configuration: the number of links and their bytes, the
//! number of tree nodes, of open elements and of attributes of one tag. Time and memory are linear in the body, times
//! at most those bounds, and nothing recurses.

mod check;
mod collect;
mod dom;
mod encoding;
mod headers;
mod tokenizer;

use encoding_rs::Encoding;

use crate::config::ParseConfig;
use crate::model::{Directives, Link, MediaType, Rel};
use crate::urls::{CanonicalUrl, UrlRules};

pub use check::check;

use collect::resolve::ReferenceResolver;
use collect::{directives, refresh, walk};
use dom::builder::{self, EncodingChanged, Tree};
use dom::node::Nodes;
use encoding::detect;

/// An HTTP response whose body is HTML by [`crate::sniff::is_html`].
#[derive(Clone, Copy, Debug)]
pub struct HtmlResponse<'a> {
    /// The URL of the response.
    pub url: &'a CanonicalUrl,
    /// The media type by all `Content-Type` header lines.
    pub media_type: Option<&'a MediaType>,
    /// Every `X-Robots-Tag` header line.
    pub x_robots_tag: &'a [&'a str],
    /// The `Refresh` header.
    pub refresh: Option<&'a str>,
    /// Every `Link` header line.
    pub link_headers: &'a [&'a str],
    /// The body after decompression; it may be cut at a size limit.
    pub body: &'a [u8],
}

/// The facts about an HTML document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedPage {
    /// The WHATWG name of the encoding, in lower case.
    pub charset: String,
    /// The first `title`, blanks collapsed; empty when there is none.
    pub title: String,
    /// `meta name=description`, blanks collapsed; empty when there is none.
    pub description: String,
    pub directives: Directives,
    /// `link rel=canonical`, or else the one of the `Link` header, if it differs from the URL of the page.
    pub canonical: Option<CanonicalUrl>,
    /// In document order, at most `parse.max_links` with at most `parse.max_links_bytes`.
    pub links: Vec<Link>,
    /// Whether further links were dropped.
    pub links_dropped: bool,
    /// Whether parts were dropped: the rest of a document beyond `parse.max_nodes` or `parse.max_attributes`, or link
    /// texts beyond `parse.max_links_bytes` in total.
    pub cut: bool,
}

/// The directives in the `X-Robots-Tag` header lines of a response without a document (a redirect).
pub fn header_directives(x_robots_tag: &[&str], user_agent_token: &str) -> Directives {
    fold_headers(Directives::default(), x_robots_tag, user_agent_token)
}

fn fold_headers(start: Directives, x_robots_tag: &[&str], user_agent_token: &str) -> Directives {
    x_robots_tag.iter().fold(start, |all, line| directives::with_header(all, line, user_agent_token))
}

/// Parses an HTML document. Directives for `user_agent_token`, the product token of this crawler, are obeyed.
pub fn parse(
    response: &HtmlResponse<'_>,
    config: &ParseConfig,
    rules: &UrlRules,
    user_agent_token: &str,
) -> ParsedPage {
    let nodes = Nodes::new();
    let (encoding, tree) = read_tree(response, config, &nodes);
    let found = walk::walk(tree.document, config, user_agent_token);
    let directives = fold_headers(found.directives, response.x_robots_tag, user_agent_token);
    let Some(resolver) = ReferenceResolver::new(response.url, found.base_href, encoding, rules) else {
        return ParsedPage { charset: name_of(encoding), directives, ..ParsedPage::default() };
    };
    let mut page = ParsedPage {
        charset: name_of(encoding),
        title: found.title.unwrap_or_default(),
        description: found.description.unwrap_or_default(),
        directives,
        canonical: canonical(response, &found.canonicals, &resolver),
        cut: tree.cut || found.cut,
        ..ParsedPage::default()
    };
    let page_rel = if directives.nofollow { Rel::PAGE_NOFOLLOW } else { Rel::NONE };
    let from_header = response.refresh.and_then(refresh::reference).and_then(|to| resolver.header_link(to));
    let from_document = found.references.into_iter().filter_map(|reference| resolver.link(reference));
    let mut bytes_left = config.max_links_bytes;
    for mut link in from_header.into_iter().chain(from_document) {
        let rest = bytes_left.checked_sub(link.bytes_on(response.url, &page.title));
        let (Some(rest), true) = (rest, page.links.len() < config.max_links) else {
            // The rest is not even resolved: a short reference can have a long URL.
            page.links_dropped = true;
            break;
        };
        bytes_left = rest;
        link.rel = link.rel.with(page_rel);
        page.links.push(link);
    }
    page
}

/// Decodes the body and builds its tree. If the encoding was guessed and a `meta` declares another one, the body is
/// parsed once more with that one ("changing the encoding while parsing" of the HTML standard).
fn read_tree<'a>(
    response: &HtmlResponse<'_>,
    config: &ParseConfig,
    nodes: &'a Nodes<'a>,
) -> (&'static Encoding, Tree<'a>) {
    let guess = detect::detect(response.body, response.media_type, response.url.host(), config);
    let mut encoding = guess.encoding;
    let mut tentative = (!guess.certain).then_some(encoding);
    loop {
        match builder::build(&detect::decode(response.body, encoding), config, tentative.take(), nodes) {
            Ok(tree) => return (encoding, tree),
            Err(EncodingChanged(declared)) => encoding = declared,
        }
    }
}

/// The first canonical URL of the document that has a canonical form, or else that of the headers.
fn canonical(
    response: &HtmlResponse<'_>,
    in_document: &[&str],
    resolver: &ReferenceResolver<'_>,
) -> Option<CanonicalUrl> {
    let mut in_headers = response.link_headers.iter().filter_map(|line| headers::canonical(line));
    in_document
        .iter()
        .find_map(|href| resolver.in_document(href))
        .or_else(|| in_headers.find_map(|target| resolver.in_headers(target)))
        .filter(|canonical| canonical != response.url)
}

fn name_of(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}
