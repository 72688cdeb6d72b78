//! The links of a page by either of two parsers: `lol_html`, with which spider finds its own links, fast but not the
//! standard's tree; and `scraper`, which builds that tree as browsers do.

use std::cell::RefCell;
use std::rc::Rc;

use lol_html::html_content::{Element, TextChunk};
use lol_html::{HtmlRewriter, Settings, element, end_tag, text};
use scraper::{Html, Selector};
use url::Url;

const SELECTOR: &str = "a[href], area[href], iframe[src], frame[src]";

pub struct Link {
    tag: String,
    target: Url,
    text: String,
    rel: String,
}

impl Link {
    pub fn weight(&self) -> usize {
        self.tag.len() + self.target.as_str().len() + self.text.len() + self.rel.len()
    }
}

#[derive(Clone, Copy)]
pub enum Extractor {
    LolHtml,
    Scraper,
}

impl Extractor {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "lol-html" => Some(Self::LolHtml),
            "scraper" => Some(Self::Scraper),
            _ => None,
        }
    }

    /// Links in document order whose target is an http(s) URL.
    pub fn links(self, page: &str, html: &[u8]) -> Vec<Link> {
        let Ok(base) = Url::parse(page) else { return Vec::new() };
        match self {
            Self::LolHtml => by_lol_html(base, html),
            Self::Scraper => by_scraper(base, &String::from_utf8_lossy(html)),
        }
    }
}

fn link(base: &Url, tag: &str, reference: &str, rel: Option<String>) -> Option<Link> {
    let target = base.join(reference).ok().filter(|target| matches!(target.scheme(), "http" | "https"))?;
    Some(Link { tag: tag.to_owned(), target, text: String::new(), rel: rel.unwrap_or_default() })
}

fn collapsed(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn by_scraper(mut base: Url, html: &str) -> Vec<Link> {
    let (Ok(bases), Ok(links)) = (Selector::parse("base[href]"), Selector::parse(SELECTOR)) else {
        return Vec::new();
    };
    let document = Html::parse_document(html);
    let declared = document.select(&bases).next().and_then(|element| element.attr("href"));
    if let Some(joined) = declared.and_then(|reference| base.join(reference).ok()) {
        base = joined;
    }
    let found = document.select(&links).filter_map(|element| {
        let reference = element.attr("href").or_else(|| element.attr("src"))?;
        let mut link = link(&base, element.value().name(), reference, element.attr("rel").map(str::to_owned))?;
        link.text = collapsed(&element.text().collect::<String>());
        Some(link)
    });
    found.collect()
}

/// The links found so far, and the link that is open.
struct Found {
    base: Url,
    links: Vec<Link>,
    open: Option<usize>,
}

fn by_lol_html(base: Url, html: &[u8]) -> Vec<Link> {
    let found = Rc::new(RefCell::new(Found { base, links: Vec::new(), open: None }));
    let handlers = vec![
        element!("base[href]", |element: &mut Element<'_, '_>| {
            let mut found = found.borrow_mut();
            if let Some(base) = element.get_attribute("href").and_then(|to| found.base.join(&to).ok()) {
                found.base = base;
            }
            Ok(())
        }),
        element!(SELECTOR, |element: &mut Element<'_, '_>| {
            let mut now = found.borrow_mut();
            let reference = element.get_attribute("href").or_else(|| element.get_attribute("src"));
            let rel = element.get_attribute("rel");
            let Some(link) = link(&now.base, &element.tag_name(), &reference.unwrap_or_default(), rel) else {
                return Ok(());
            };
            now.links.push(link);
            if element.tag_name() == "a" {
                now.open = Some(now.links.len() - 1);
                let found = Rc::clone(&found);
                if let Some(handlers) = element.end_tag_handlers() {
                    handlers.push(end_tag!(move |_| {
                        close(&mut found.borrow_mut());
                        Ok(())
                    }));
                }
            }
            Ok(())
        }),
        text!("a[href]", |chunk: &mut TextChunk<'_>| {
            let mut found = found.borrow_mut();
            if let Some(open) = found.open {
                found.links[open].text.push_str(chunk.as_str());
            }
            Ok(())
        }),
    ];
    let settings = Settings { element_content_handlers: handlers, ..Settings::new() };
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // The links that were parsed before an error count.
    let _ = rewriter.write(html).and_then(|()| rewriter.end());
    std::mem::take(&mut found.borrow_mut().links)
}

fn close(found: &mut Found) {
    if let Some(open) = found.open.take() {
        let text = collapsed(&found.links[open].text);
        found.links[open].text = text;
    }
}
