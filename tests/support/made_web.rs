//! A web generated from a description: sites with pages and their responses. [`FakeWeb`] serves it, and the description
//! determines the expected index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use backlinkd::model::{LinkTag, Rel};

use super::fake_web::{FakeWeb, Reply, Request};

/// A link in a page's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeLink {
    /// Absolute, in canonical form.
    pub target: String,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: String,
}

/// The response of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadePage {
    Html { title: String, links: Vec<MadeLink> },
    Redirect { status: u16, target: String },
    Error { status: u16 },
}

/// The pages by URL; the web can be changed while it is served.
#[derive(Clone, Default)]
pub struct MadeWeb {
    /// Host and loopback address.
    pub hosts: BTreeMap<String, String>,
    /// By URL, `http://host/path`.
    pub pages: BTreeMap<String, MadePage>,
    /// Paths that the robots.txt of a host disallows.
    pub forbidden: BTreeMap<String, Vec<String>>,
}

impl MadePage {
    /// The links of the page, in order; a redirect is one.
    pub fn links(&self) -> Vec<MadeLink> {
        match self {
            Self::Html { links, .. } => links.clone(),
            Self::Redirect { status, target } => vec![MadeLink {
                target: target.clone(),
                tag: LinkTag::from_redirect_status(*status).unwrap(),
                rel: Rel::NONE,
                anchor: String::new(),
            }],
            Self::Error { .. } => Vec::new(),
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            Self::Html { .. } => 200,
            Self::Redirect { status, .. } | Self::Error { status } => *status,
        }
    }

    fn reply(&self) -> Reply {
        match self {
            Self::Html { title, links } => {
                let body: String = links.iter().map(element).collect();
                Reply::html(&format!("<!doctype html><title>{title}</title><body>{body}</body>"))
            }
            Self::Redirect { status, target } => Reply::redirect(*status, target),
            // An error page links to its site, as usual; none of these links belongs to the page.
            Self::Error { status } => Reply::status(*status)
                .header("Content-Type", "text/html")
                .body("<title>error</title><a href=/nowhere>home</a>"),
        }
    }
}

fn element(link: &MadeLink) -> String {
    let words = [(Rel::NOFOLLOW, "nofollow"), (Rel::UGC, "ugc"), (Rel::SPONSORED, "sponsored")];
    let rel: Vec<&str> =
        words.into_iter().filter(|(rel, _)| link.rel.contains(*rel)).map(|(_, word)| word).collect();
    let (target, rel, anchor) = (&link.target, rel.join(" "), &link.anchor);
    match link.tag {
        LinkTag::A => format!("<p><a href=\"{target}\" rel=\"{rel}\">{anchor}</a></p>"),
        LinkTag::Aimg => format!("<a href='{target}' rel='{rel}'><img src=x.png alt=\"{anchor}\"></a>"),
        LinkTag::Iframe => format!("<iframe src=\"{target}\" title=\"{anchor}\"></iframe>"),
        other => panic!("no element is written for {other}"),
    }
}

impl MadeWeb {
    /// Serves the pages in `pages` at the moment of each request.
    pub async fn serve(&self, pages: Arc<Mutex<BTreeMap<String, MadePage>>>) -> FakeWeb {
        let mut web = FakeWeb::new();
        for (host, address) in &self.hosts {
            let pages = pages.clone();
            let answer = move |request: &Request| {
                let url = format!("http://{}{}", request.host, request.path);
                pages.lock().unwrap().get(&url).map_or_else(|| Reply::status(404), MadePage::reply)
            };
            let forbidden = self.forbidden.get(host).into_iter().flatten();
            let rules: String = forbidden.map(|path| format!("Disallow: {path}\n")).collect();
            web = web.host(host, address).answer(host, "/*", answer).page(
                host,
                "/robots.txt",
                Reply::text(&format!("User-agent: *\n{rules}")),
            );
        }
        web.start().await
    }

    pub fn is_forbidden(&self, url: &str) -> bool {
        let (host, path) = split(url);
        self.forbidden.get(host).into_iter().flatten().any(|start| path.starts_with(start.as_str()))
    }

    /// The expected index once the seeds and all reachable URLs were visited: URLs without their own page respond with
    /// 404.
    pub fn reachable(&self, seeds: &[String]) -> BTreeMap<String, MadePage> {
        let mut reached = BTreeMap::new();
        let mut waiting: Vec<String> = seeds.to_vec();
        let mut met: BTreeSet<String> = BTreeSet::new();
        while let Some(url) = waiting.pop() {
            if !met.insert(url.clone()) || self.is_forbidden(&url) || !self.hosts.contains_key(split(&url).0)
            {
                continue;
            }
            let page = self.pages.get(&url).cloned().unwrap_or(MadePage::Error { status: 404 });
            waiting.extend(page.links().into_iter().map(|link| link.target));
            reached.insert(url, page);
        }
        reached
    }
}

/// Host and path of a URL.
pub fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap())
}
