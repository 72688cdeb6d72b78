//! The generated web: the response of every URL at a moment is a pure function of the seed and the clock, so that the
//! truth at the end can be computed without any record.
//!
//! A host has a home page, which always exists and links to all pages that exist now, and pages that change by
//! themselves. Each page has its own period. At the end of each period a new draw decides whether it is a page, a
//! redirect or gone (404 or 410). Each of its links moves between a few targets with its own period. All draws are from
//! pools of fixed size, so that an index of the web has a largest size.

use std::fmt::Write as _;
use std::time::Duration;

/// Hosts of a domain.
const HOSTS_PER_DOMAIN: u32 = 2;
/// Targets between which one link of a page moves.
const ALTERNATIVES: u64 = 3;
/// Hosts outside of this web to which its pages link; they refuse connections.
const OUTSIDE_HOSTS: u64 = 50;
/// Paths that robots.txt disallows and to which pages link.
const FORBIDDEN_PATHS: u64 = 20;

/// See the module.
#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub hosts: u32,
    pub pages_per_host: u32,
    /// The median of the periods after which pages change.
    pub change: Duration,
}

/// A page: the number of its host, and its own number; 0 is the host's home page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId {
    pub host: u32,
    pub number: u32,
}

/// The response of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Page { title: String, links: Vec<Link> },
    Redirect { status: u16, target: String },
    Gone { status: u16 },
}

/// A link in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `a` or `aimg`.
    pub tag: &'static str,
    pub target: String,
    pub anchor: String,
    pub nofollow: bool,
}

/// A well-mixed hash of the arguments (SplitMix64).
fn draw(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |mixed, &part| {
        let mut z = (mixed ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

impl World {
    pub fn host_name(&self, host: u32) -> String {
        let label = if host.is_multiple_of(HOSTS_PER_DOMAIN) { "www" } else { "blog" };
        format!("{label}.d{}.test", host / HOSTS_PER_DOMAIN)
    }

    pub fn host_of(&self, name: &str) -> Option<u32> {
        let (label, rest) = name.split_once(".d")?;
        let domain: u32 = rest.strip_suffix(".test")?.parse().ok()?;
        let host = domain.checked_mul(HOSTS_PER_DOMAIN)? + u32::from(label == "blog");
        (host < self.hosts && self.host_name(host) == name).then_some(host)
    }

    pub fn domains(&self) -> impl Iterator<Item = String> {
        (0..self.hosts.div_ceil(HOSTS_PER_DOMAIN)).map(|domain| format!("d{domain}.test"))
    }

    /// Hosts of every third domain share one address.
    pub fn shares_address(&self, host: u32) -> bool {
        (host / HOSTS_PER_DOMAIN).is_multiple_of(3) && !host.is_multiple_of(HOSTS_PER_DOMAIN)
    }

    pub fn url(&self, page: PageId) -> String {
        let host = self.host_name(page.host);
        if page.number == 0 { format!("http://{host}/") } else { format!("http://{host}/p{}", page.number) }
    }

    /// The page of a path on a host; `None` if no such page ever exists.
    pub fn page_of(&self, host: u32, path: &str) -> Option<PageId> {
        if path == "/" {
            return Some(PageId { host, number: 0 });
        }
        let number = path.strip_prefix("/p")?.parse().ok()?;
        (1..=self.pages_per_host).contains(&number).then_some(PageId { host, number })
    }

    /// The response of a page at a time after the start.
    pub fn state(&self, page: PageId, now: Duration) -> State {
        if page.number == 0 {
            return self.home(page.host, now);
        }
        let version = self.version(page, now);
        match self.kind(page, version) {
            0..8 => State::Gone { status: 404 },
            8..12 => State::Gone { status: 410 },
            kind @ 12..16 => {
                let status = [301, 302, 307, 308][kind as usize - 12];
                let target = self.any_page(page.host, self.of(page, &[3, version]));
                let home = PageId { number: 0, ..page };
                State::Redirect {
                    status,
                    target: if target == self.url(page) { self.url(home) } else { target },
                }
            }
            _ => State::Page {
                title: format!("Page {} in version {version}", page.number),
                links: self.links(page, version),
            },
        }
    }

    fn of(&self, page: PageId, more: &[u64]) -> u64 {
        draw(&[self.seed, u64::from(page.host), u64::from(page.number), draw(more)])
    }

    /// The number of changes of a page so far: periods are a quarter to four times the median.
    fn version(&self, page: PageId, now: Duration) -> u64 {
        let drawn = self.of(page, &[1]);
        let period = (self.change.as_millis() as u64 / 4) << (drawn % 5);
        (now.as_millis() as u64 + (drawn >> 8) % period) / period
    }

    /// A number below 100 that determines the state of a version of a page.
    fn kind(&self, page: PageId, version: u64) -> u64 {
        self.of(page, &[2, version]) % 100
    }

    fn home(&self, host: u32, now: Duration) -> State {
        let there = (1..=self.pages_per_host)
            .map(|number| PageId { host, number })
            .filter(|&page| !matches!(self.kind(page, self.version(page, now)), 0..12));
        let links = there.map(|page| Link {
            tag: "a",
            target: self.url(page),
            anchor: format!("page {}", page.number),
            nofollow: false,
        });
        let links: Vec<Link> = links.collect();
        State::Page { title: format!("{} has {} pages", self.host_name(host), links.len()), links }
    }

    fn links(&self, page: PageId, version: u64) -> Vec<Link> {
        let own = self.url(page);
        let mut links: Vec<Link> = Vec::new();
        for slot in 0..5 + self.of(page, &[4]) % 20 {
            let pace = 1 + self.of(page, &[5, slot]) % 4;
            let choice = self.of(page, &[6, slot, version / pace]) % ALTERNATIVES;
            let drawn = self.of(page, &[7, slot, choice]);
            let target = self.target(page, drawn);
            if target == own || links.iter().any(|link| link.target == target) {
                continue;
            }
            links.push(Link {
                tag: if drawn.is_multiple_of(10) { "aimg" } else { "a" },
                target,
                anchor: format!("link {slot} & choice {choice}"),
                nofollow: (drawn >> 4).is_multiple_of(8),
            });
        }
        links
    }

    fn target(&self, page: PageId, drawn: u64) -> String {
        let rest = drawn >> 16;
        match drawn % 100 {
            0..5 => format!("http://o{}.outside.test/x", rest % OUTSIDE_HOSTS),
            5..8 => format!("http://{}/private/{}", self.host_name(page.host), rest % FORBIDDEN_PATHS),
            8..50 => self.any_page((rest % u64::from(self.hosts)) as u32, rest >> 16),
            _ => self.any_page(page.host, rest),
        }
    }

    fn any_page(&self, host: u32, drawn: u64) -> String {
        self.url(PageId { host, number: (drawn % u64::from(self.pages_per_host + 1)) as u32 })
    }
}

/// A page's HTML.
pub fn html(title: &str, links: &[Link]) -> String {
    let mut html =
        format!("<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head><body>\n");
    for link in links {
        let rel = if link.nofollow { " rel=nofollow" } else { "" };
        let anchor = link.anchor.replace('&', "&amp;");
        let inside = if link.tag == "aimg" { format!("<img src=/i.png alt=\"{anchor}\">") } else { anchor };
        // A page of usual size has more text than links.
        let _ = writeln!(
            html,
            "<p>{}<a href=\"{}\"{rel}>{inside}</a></p>",
            "Words around a link. ".repeat(4),
            link.target
        );
    }
    html + "</body></html>\n"
}
