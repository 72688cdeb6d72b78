//! A second reading of a page with the [`scraper`] crate, which is slower and knows nothing of the parser here. The crawl
//! compares the links of both for a share of all pages (`parse.check_share`), so that a mistake of the fast parser shows
//! in the field.
//!
//! Both readings share the encoding and the resolution of references. Compared are tag, target and `rel` of each link of
//! the document, in order. Anchor texts and meta refreshes are not compared.

use encoding_rs::Encoding;
use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use scraper::{ElementRef, Html, HtmlTreeSink};

use super::collect::resolve::ReferenceResolver;
use super::collect::walk::Reference;
use super::encoding::detect;
use super::{HtmlResponse, ParsedPage};
use crate::config::ParseConfig;
use crate::model::{Link, LinkTag, Rel};
use crate::urls::UrlRules;

const HTML: &str = "http://www.w3.org/1999/xhtml";
const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// Compares the links of a page with those of a second reading.
///
/// Pages that are cut, or larger than `parse.check_max_bytes`, count as equal: the bounds of the parser do not hold for
/// the second reading, and its time is not linear in the body.
///
/// # Errors
/// The first difference, in words.
pub fn check(
    response: &HtmlResponse<'_>,
    page: &ParsedPage,
    config: &ParseConfig,
    rules: &UrlRules,
) -> Result<(), String> {
    if page.cut || page.links_dropped || response.body.len() > config.check_max_bytes {
        return Ok(());
    }
    let Some(encoding) = Encoding::for_label(page.charset.as_bytes()) else { return Ok(()) };
    let text = detect::decode(response.body, encoding);
    let is_compared = |link: &&Link| link.tag != LinkTag::Refresh && !link.tag.is_redirect();
    let mut links = page.links.iter().filter(is_compared);
    // Directives of the page are no part of the element.
    let of_element = |rel: Rel| Rel::from_bits(rel.bits() & !Rel::PAGE_NOFOLLOW.bits());
    for (number, (tag, rel, target)) in read(&text, response, encoding, rules).into_iter().enumerate() {
        let second = format!("link {number} is <{tag}> to {target} by scraper");
        match links.next() {
            None => return Err(format!("{second}, and missing")),
            Some(link)
                if link.tag == tag && link.target.as_str() == target && of_element(link.rel) == rel => {}
            Some(link) => return Err(format!("{second}, and <{}> to {}", link.tag, link.target)),
        }
    }
    match links.next() {
        Some(link) => Err(format!("<{}> to {} is missing by scraper", link.tag, link.target)),
        None => Ok(()),
    }
}

/// The links of a document: tag, `rel` and target.
fn read(
    text: &str,
    response: &HtmlResponse<'_>,
    encoding: &'static Encoding,
    rules: &UrlRules,
) -> Vec<(LinkTag, Rel, String)> {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let html = parse_document(HtmlTreeSink::new(Html::new_document()), options).one(text);
    let elements: Vec<ElementRef<'_>> =
        html.tree.root().descendants().filter_map(ElementRef::wrap).filter(is_in_document).collect();
    let base = elements.iter().filter(|element| is(element, HTML, "base")).find_map(|base| base.attr("href"));
    let Some(resolver) = ReferenceResolver::new(response.url, base, encoding, rules) else {
        return Vec::new();
    };
    let links = elements.iter().filter_map(|element| {
        let (tag, url) = reference(element)?;
        let has_rel = [LinkTag::A, LinkTag::Aimg, LinkTag::Area].contains(&tag);
        let rel = element.attr("rel").filter(|_| has_rel).map_or(Rel::NONE, Rel::from_attribute);
        let link = resolver.link(Reference { url, tag, rel, anchor: String::new() })?;
        Some((link.tag, link.rel, link.target.to_string()))
    });
    links.collect()
}

/// The tag and reference of an element that links.
fn reference<'a>(element: &ElementRef<'a>) -> Option<(LinkTag, &'a str)> {
    let in_svg = is(element, SVG, "a");
    if in_svg || is(element, HTML, "a") {
        let href = element.value().attr("href").or_else(|| xlink_href(element).filter(|_| in_svg))?;
        let mut within = element.descendants().filter_map(ElementRef::wrap).filter(is_in_document);
        let has_image = within.any(|one| is(&one, HTML, "img"));
        return Some((if has_image { LinkTag::Aimg } else { LinkTag::A }, href));
    }
    let (tag, attribute) = match () {
        () if is(element, HTML, "area") => (LinkTag::Area, "href"),
        () if is(element, HTML, "iframe") => (LinkTag::Iframe, "src"),
        () if is(element, HTML, "frame") => (LinkTag::Frame, "src"),
        () if is(element, HTML, "layer") => (LinkTag::Layer, "src"),
        () if is(element, HTML, "ilayer") => (LinkTag::Ilayer, "src"),
        () => return None,
    };
    Some((tag, element.value().attr(attribute)?))
}

/// Whether an element is in the document itself, not in a `template`.
fn is_in_document(element: &ElementRef<'_>) -> bool {
    !element.ancestors().any(|ancestor| ancestor.value().is_fragment())
}

fn is(element: &ElementRef<'_>, namespace: &str, name: &str) -> bool {
    &*element.value().name.ns == namespace && element.value().name() == name
}

fn xlink_href<'a>(element: &ElementRef<'a>) -> Option<&'a str> {
    let mut attributes = element.value().attrs.iter();
    attributes.find(|(name, _)| &*name.ns == XLINK && &*name.local == "href").map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MediaType;
    use crate::parse::parse;

    const PAGE: &str = "https://site.example/dir/page";

    /// Parses a document, changes what was found, and checks that.
    fn checked(body: &str, change: impl FnOnce(&mut ParsedPage)) -> Result<(), String> {
        let (rules, config) = (UrlRules::default(), ParseConfig::default());
        let url = rules.canonical(PAGE).unwrap();
        let media_type = MediaType::parse(b"text/html; charset=windows-1252");
        let response = HtmlResponse {
            url: &url,
            media_type: media_type.as_ref(),
            x_robots_tag: &["nofollow"],
            refresh: Some("0; url=/elsewhere"),
            link_headers: &[],
            body: body.as_bytes(),
        };
        let mut page = parse(&response, &config, &rules, "backlinkd");
        change(&mut page);
        check(&response, &page, &config, &rules)
    }

    const DOCUMENT: &str = "<base href=/b/><a href=1 rel='NoFollow ugc'>x</a><template><a href=no></a></template>\
        <svg><a xlink:href=2></a></svg><a href=3><img></a><iframe src=4></iframe><area href=5?\u{e4}>\
        <noscript><a href=6></a></noscript><a href=#self></a><a href=mailto:a></a>";

    #[test]
    fn both_readings_agree() {
        assert_eq!(checked(DOCUMENT, |page| assert_eq!(page.links.len(), 8, "{:?}", page.links)), Ok(()));
    }

    #[test]
    fn each_difference_is_found() {
        let missing = checked(DOCUMENT, |page| _ = page.links.pop()).unwrap_err();
        assert!(missing.contains("https://site.example/b/ by scraper, and missing"), "{missing}");
        let further = checked(DOCUMENT, |page| page.links.push(page.links[1].clone())).unwrap_err();
        assert!(further.contains("missing by scraper"), "{further}");
        let tag = checked(DOCUMENT, |page| page.links[3].tag = LinkTag::A).unwrap_err();
        assert!(tag.contains("<aimg> to https://site.example/b/3"), "{tag}");
        let rel = checked(DOCUMENT, |page| page.links[1].rel = Rel::NONE).unwrap_err();
        assert!(rel.contains("/b/1"), "{rel}");
        let order = checked(DOCUMENT, |page| page.links.swap(1, 2)).unwrap_err();
        assert!(order.contains("link 0"), "{order}");
    }

    #[test]
    fn pages_that_were_cut_are_not_compared() {
        let cut = |page: &mut ParsedPage| {
            page.links.clear();
            page.cut = true;
        };
        assert_eq!(checked(DOCUMENT, cut), Ok(()));
    }
}
