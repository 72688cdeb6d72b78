//! Renders the described pages as HTML.
//!
//! The markup is as varied as on the web: links are paths, URLs, hosts in Unicode, or relative to a base; texts
//! contain line breaks; and some references are not links.

use std::fmt::Write;

use crate::model::LinkTag;

use super::web::{DemoLink, DemoPage, Host, NofollowIn, Web};

/// The document of a page that is not a redirect.
pub(super) fn document(web: &Web, host: &Host, page: &DemoPage) -> String {
    let writer = Writer { web, host, page };
    let (head, body) = if page.is_frameset() {
        (writer.head(), format!("<frameset cols=\"30%,70%\">\n{}</frameset>\n", writer.links(&page.links)))
    } else {
        (writer.head(), writer.body())
    };
    format!("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{head}</head>\n{body}</html>\n")
}

/// The document for a path without a page.
pub(super) fn not_found() -> String {
    format!("<!DOCTYPE html>\n<title>{NOT_FOUND}</title>\n<p>Nothing here. <a href=\"/\">Begin again</a>\n")
}

/// The title of that document.
pub(super) const NOT_FOUND: &str = "Not found";

struct Writer<'w> {
    web: &'w Web,
    host: &'w Host,
    page: &'w DemoPage,
}

impl Writer<'_> {
    fn head(&self) -> String {
        let DemoPage { title, text, nofollow, canonical, base, .. } = self.page;
        let mut head = String::from("<meta charset=\"utf-8\">\n");
        head.push_str(&format!("<title>{}</title>\n", escaped(title)));
        if !text.is_empty() {
            head.push_str(&format!("<meta name=\"description\" content=\"{}\">\n", escaped(text)));
        }
        if let Some(base) = base {
            head.push_str(&format!("<base href=\"{base}\">\n"));
        }
        if let Some(canonical) = canonical {
            head.push_str(&format!("<link rel=\"canonical\" href=\"{}\">\n", self.reference(canonical)));
        }
        if *nofollow == Some(NofollowIn::Meta) {
            head.push_str("<meta name=\"robots\" content=\"noarchive, nofollow\">\n");
        }
        for link in self.page.links.iter().filter(|link| link.tag == LinkTag::Refresh) {
            let to = self.reference(link.to);
            head.push_str(&format!("<meta http-equiv=\"refresh\" content=\"5; url={to}\">\n"));
        }
        head
    }

    fn body(&self) -> String {
        let Host { top, bottom, .. } = self.host;
        let DemoPage { title, text, links, .. } = self.page;
        let mut body = String::from("<body id=\"top\">\n");
        let _ = writeln!(body, "<nav>\n{}</nav>", self.links(top));
        let _ =
            writeln!(body, "<h1>{}</h1>\n<p>{}</p>\n{}", escaped(title), escaped(text), self.links(links));
        // With a base, a lone fragment leads to the base, not to the page.
        if self.page.base.is_none() {
            let _ = writeln!(body, "<a href=\"#top\">Up</a>");
        }
        let _ = writeln!(body, "<a href=\"javascript:print()\">Print</a>");
        let _ = writeln!(body, "<a href=\"mailto:desk@{}\">Write to us</a>", self.host.domain);
        let _ = writeln!(body, "<footer>\n{}</footer>\n</body>", self.links(bottom));
        body
    }

    fn links(&self, links: &[DemoLink]) -> String {
        links.iter().map(|link| self.link(link)).collect()
    }

    fn link(&self, link: &DemoLink) -> String {
        let (to, text) = (self.reference(link.to), escaped(link.text));
        let rel = if link.rel.is_empty() { String::new() } else { format!(" rel=\"{}\"", link.rel) };
        match link.tag {
            LinkTag::A => format!("<p><a href=\"{to}\"{rel}>\n  {text}\n</a></p>\n"),
            LinkTag::Aimg => format!("<a href=\"{to}\"{rel}><img src=\"/picture.jpg\" alt=\"{text}\"></a>\n"),
            LinkTag::Area => {
                format!(
                    "<map><area shape=\"rect\" coords=\"0,0,9,9\" href=\"{to}\"{rel} alt=\"{text}\"></map>\n"
                )
            }
            LinkTag::Frame => format!("<frame src=\"{to}\" title=\"{text}\">\n"),
            LinkTag::Iframe | LinkTag::Layer | LinkTag::Ilayer => {
                format!("<{0} src=\"{to}\" title=\"{text}\"></{0}>\n", link.tag)
            }
            // Redirects have no document, and a refresh is in the head.
            _ => String::new(),
        }
    }

    /// The target in the spelling of the page.
    fn reference(&self, to: &str) -> String {
        if let Some(rest) =
            self.page.base.and_then(|base| to.strip_prefix(base)).filter(|rest| !rest.is_empty())
        {
            return rest.to_owned();
        }
        let Some((host, path)) = to.strip_prefix("//").and_then(|rest| rest.split_once('/')) else {
            return to.to_owned();
        };
        let shown = self.web.host(host).map_or(host, |host| host.shown);
        format!("http://{shown}/{path}")
    }
}

/// Text escaped for an element or an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
