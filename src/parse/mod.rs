//! From bytes to a page: the links, title, directives and canonical URL that a fetched HTML document holds.
//!
//! In goes one HTTP answer ([`Answer`]), out comes a [`ParsedPage`] that owns all it holds. Synchronous and
//! pure: no I/O, no clock, and the same bytes always give the same page. Nothing here can fail; what cannot be
//! read is left out. This is the only folder that knows an HTML parser; run it off the async threads.
//!
//! The document is read as a browser with scripting off reads it (<https://html.spec.whatwg.org>): the
//! encoding is found (`charset`), the text becomes tokens (`tokenizer`), the tokens a tree, by html5ever's tree
//! builder (`tree`), one walk over the tree in document order collects what matters (`walk`), and the references
//! found are resolved against the document's base (`resolve`). XHTML goes through the HTML parser too.
//!
//! What counts as a link:
//! * `a` (HTML and SVG; `aimg` when it holds an `img`) and `area` with `href`, `iframe`, `frame`, `layer` and
//!   `ilayer` with `src`, meta refresh and the `Refresh` header, which stands first;
//! * not what lies in a `template`, nor in the raw text of `script`, `style`, `textarea`, `noframes` and the like;
//!   what lies in `noscript` counts;
//! * not a reference that has no canonical URL (another scheme than http(s), unparsable), nor one that leads
//!   back to the document itself (RFC 3986, 4.4): one whose canonical URL is the document's own.
//!
//! `text` says what a blank is, and `anchors` what the text of an anchor is.
//!
//! Hostile pages are bounded: the number of links and their bytes, the number of tree nodes, of elements open at once
//! and of attributes of one tag (`[parse]` in the configuration). Everything takes time and memory linear in the
//! body, times at most those bounds, and nothing recurses.

mod anchors;
mod charset;
mod check;
mod directives;
mod encode;
mod headers;
mod node;
mod prescan;
mod refresh;
mod resolve;
mod root;
mod scanner;
mod sink;
mod text;
mod tokenizer;
mod tree;
mod walk;

use encoding_rs::Encoding;

use crate::config::ParseConfig;
use crate::model::{Directives, Link, MediaType, Rel};
use crate::urls::{CanonicalUrl, UrlRules};

pub use check::check;
pub use headers::{declares_html, is_html, looks_like_html};

use node::Nodes;
use resolve::Resolver;
use tree::Tree;

/// An HTTP answer whose body [`is_html`] has found to be HTML.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The URL that gave this answer.
    pub url: &'a CanonicalUrl,
    /// Its type by all `Content-Type` header lines.
    pub media_type: Option<&'a MediaType>,
    /// Every `X-Robots-Tag` header line.
    pub x_robots_tag: &'a [&'a str],
    /// The `Refresh` header.
    pub refresh: Option<&'a str>,
    /// Every `Link` header line.
    pub link_headers: &'a [&'a str],
    /// The body after decompression; it may have been cut at a size limit.
    pub body: &'a [u8],
}

/// What an HTML document holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedPage {
    /// The WHATWG name of the encoding the page was read with, lower case.
    pub charset: String,
    /// The first `title`, blanks collapsed; empty when there is none.
    pub title: String,
    /// `meta name=description`, blanks collapsed; empty when there is none.
    pub description: String,
    pub directives: Directives,
    /// `link rel=canonical`, or else the `Link` header's, when it is another URL than the page's own.
    pub canonical: Option<CanonicalUrl>,
    /// In document order, at most `parse.max_links` of at most `parse.max_links_bytes`.
    pub links: Vec<Link>,
    /// Whether there were links beyond that.
    pub links_dropped: bool,
    /// Whether the rest of the document was left out, because it went beyond `parse.max_nodes` or
    /// `parse.max_attributes`, or texts of links, because all of them went beyond `parse.max_links_bytes`.
    pub cut: bool,
}

/// What the `X-Robots-Tag` header lines of an answer that is no document (a redirect) ask of us.
pub fn header_directives(x_robots_tag: &[&str], user_agent_token: &str) -> Directives {
    fold_headers(Directives::default(), x_robots_tag, user_agent_token)
}

fn fold_headers(start: Directives, x_robots_tag: &[&str], user_agent_token: &str) -> Directives {
    x_robots_tag.iter().fold(start, |all, line| directives::with_header(all, line, user_agent_token))
}

/// Reads an HTML document. `user_agent_token` is our product token: directives that name it are obeyed.
pub fn parse(
    answer: &Answer<'_>,
    config: &ParseConfig,
    rules: &UrlRules,
    user_agent_token: &str,
) -> ParsedPage {
    let nodes = Nodes::new();
    let (encoding, tree) = read_tree(answer, config, &nodes);
    let found = walk::walk(tree.document, config, user_agent_token);
    let directives = fold_headers(found.directives, answer.x_robots_tag, user_agent_token);
    let Some(resolver) = Resolver::new(answer.url, found.base_href, encoding, rules) else {
        return ParsedPage { charset: name_of(encoding), directives, ..ParsedPage::default() };
    };
    let mut page = ParsedPage {
        charset: name_of(encoding),
        title: found.title.unwrap_or_default(),
        description: found.description.unwrap_or_default(),
        directives,
        canonical: canonical(answer, &found.canonicals, &resolver),
        cut: tree.cut || found.cut,
        ..ParsedPage::default()
    };
    let page_rel = if directives.nofollow { Rel::PAGE_NOFOLLOW } else { Rel::NONE };
    let from_header = answer.refresh.and_then(refresh::reference).and_then(|to| resolver.header_link(to));
    let from_document = found.references.into_iter().filter_map(|reference| resolver.link(reference));
    let mut room = config.max_links_bytes;
    for mut link in from_header.into_iter().chain(from_document) {
        let rest = room.checked_sub(link.bytes_on(answer.url, &page.title));
        let (Some(rest), true) = (rest, page.links.len() < config.max_links) else {
            // The rest is not even resolved: a short reference can lead to a long URL.
            page.links_dropped = true;
            break;
        };
        room = rest;
        link.rel = link.rel.with(page_rel);
        page.links.push(link);
    }
    page
}

/// Decodes the body and builds its tree. When the encoding was only guessed and the document then names another
/// one in a `meta`, it is read once more with that one, as the HTML standard has it ("changing the encoding while
/// parsing").
fn read_tree<'a>(
    answer: &Answer<'_>,
    config: &ParseConfig,
    nodes: &'a Nodes<'a>,
) -> (&'static Encoding, Tree<'a>) {
    let guess = charset::choose(answer.body, answer.media_type, answer.url.host(), config);
    let mut encoding = guess.encoding;
    let mut tentative = (!guess.certain).then_some(encoding);
    loop {
        match tree::build(&charset::decode(answer.body, encoding), config, tentative.take(), nodes) {
            Ok(tree) => return (encoding, tree),
            Err(tree::Redeclared(declared)) => encoding = declared,
        }
    }
}

/// The first canonical of the document that has a canonical form, or else that of the headers.
fn canonical(answer: &Answer<'_>, in_document: &[&str], resolver: &Resolver<'_>) -> Option<CanonicalUrl> {
    let mut in_headers = answer.link_headers.iter().filter_map(|line| headers::canonical(line));
    in_document
        .iter()
        .find_map(|href| resolver.in_document(href))
        .or_else(|| in_headers.find_map(|target| resolver.in_headers(target)))
        .filter(|canonical| canonical != answer.url)
}

fn name_of(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}
