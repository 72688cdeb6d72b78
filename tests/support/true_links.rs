//! The results of another parser (lexbor, with ada for URLs) for the pages of the built test web: 17,746 pages,
//! 1,987,592 links.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use backlinkd::config::ParseConfig;
use backlinkd::model::{LinkTag, Rel};
use flate2::read::GzDecoder;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::shared;

/// A page as the other parser sees it.
#[derive(Deserialize)]
pub struct TruePage {
    pub url: String,
    title: Option<String>,
    links: Vec<TrueLink>,
}

/// Tag, reference (not compared), resolved URL, `rel`, text, whether it contains an image.
#[derive(Deserialize)]
struct TrueLink(String, IgnoredAny, Option<String>, Option<String>, String, bool);

/// A link as the program parses it.
pub struct OurLink<'a> {
    pub tag: LinkTag,
    pub target: &'a str,
    pub rel: Rel,
    pub anchor: &'a str,
}

/// The folder of the built test web: `BACKLINKD_TEST_WEB`, or else a folder of the user's cache. The first test that
/// needs it builds it there from Debian's documentation packages. `None`, with a message, if that is impossible.
pub fn built_web() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let given = std::env::var_os("BACKLINKD_TEST_WEB").map(PathBuf::from);
        build_web(given.unwrap_or_else(|| cache("web")), &[])
    };
    BUILT.get_or_init(build).clone()
}

/// Like [`built_web`], with a sixth of the pages: some 3,000.
pub fn built_small_web() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| build_web(cache("small-web"), &["--small"])).clone()
}

fn cache(folder: &str) -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".cache/backlinkd").join(folder)
}

fn build_web(web: PathBuf, arguments: &[&str]) -> Option<PathBuf> {
    if web.join("conf/mounts.tsv").exists() && web.join("certs/ca.pem").exists() {
        return Some(web);
    }
    let script = shared("web/build.sh")?;
    eprintln!("building the test web in {}", web.display());
    let mut command = Command::new("sh");
    command.arg(script).arg(&web).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let built = command.status();
    if built.is_ok_and(|status| status.success()) {
        return Some(web);
    }
    eprintln!("SKIPPED: the test web cannot be built in {}; its build.sh says what it needs", web.display());
    None
}

/// The lines of the truth, one page each, for [`TruePage::read`]. `None`, with a message, if it is absent.
pub fn lines() -> Option<impl Iterator<Item = String>> {
    let file = std::fs::File::open(shared("web/links.jsonl.gz")?).unwrap();
    Some(BufReader::new(GzDecoder::new(file)).lines().map(Result::unwrap))
}

/// Maps a URL to its file in the built web, and decides whether the truth covers that file: its package may be newer
/// now.
pub struct Mounts {
    web: PathBuf,
    /// Host, path and folder; longer paths first.
    rows: Vec<[String; 3]>,
    /// Folders of packages that the truth does not cover.
    other: Vec<String>,
}

impl Mounts {
    /// Reports the packages that differ. `None`, with a message, if the truth has no list of packages.
    pub fn of(web: &Path) -> Option<Self> {
        let mounts = std::fs::read_to_string(web.join("conf/mounts.tsv")).unwrap();
        let row = |line: &str| {
            let mut fields = line.split('\t').map(str::to_owned);
            std::array::from_fn(|_| fields.next().unwrap())
        };
        let mut rows: Vec<[String; 3]> = mounts.lines().skip(1).map(row).collect();
        rows.sort_by_key(|[_, path, _]| std::cmp::Reverse(path.len()));
        let listed = std::fs::read_to_string(shared("web/packages.tsv")?).unwrap();
        let listed: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').nth(1)).collect();
        let built = std::fs::read_dir(web.join("debs")).unwrap();
        let built = built.map(|file| file.unwrap().file_name().into_string().unwrap());
        let other: Vec<String> = built.filter(|file| !listed.contains(&file.as_str())).collect();
        for file in &other {
            eprintln!("SKIPPED: the pages of {file}, since the truth was made from another version of it");
        }
        let folder = |file: String| format!("x/{}/", file.split('_').next().unwrap_or_default());
        Some(Self { web: web.to_owned(), rows, other: other.into_iter().map(folder).collect() })
    }

    /// The file of a URL, if the truth covers it.
    pub fn file(&self, url: &str) -> Option<PathBuf> {
        let (host, path) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        let path = format!("/{}", percent_decode_str(path).decode_utf8().unwrap());
        let is_above = |[at, above, _]: &&[String; 3]| at == host && path.starts_with(above.as_str());
        let [_, above, folder] = self.rows.iter().find(is_above).unwrap();
        let is_other = self.other.iter().any(|other| folder.starts_with(other.as_str()));
        (!is_other).then(|| self.web.join(folder).join(&path[above.len()..]))
    }
}

impl TruePage {
    pub fn read(line: &str) -> Self {
        serde_json::from_str(line).unwrap()
    }

    /// The differences from the program's links of the page, a line each.
    pub fn differences(&self, title: &str, links: &[OurLink<'_>]) -> Vec<String> {
        let mut found = Vec::new();
        if title != self.title.as_deref().unwrap_or_default() {
            found.push(format!("{}: title {title:?}, theirs {:?}", self.url, self.title));
        }
        let theirs: Vec<_> = self.links().collect();
        let ours = links.iter().filter(|link| link.tag != LinkTag::Refresh).map(|link| {
            let rel = Rel::from_bits(link.rel.bits() & !Rel::PAGE_NOFOLLOW.bits());
            let text = (link.tag == LinkTag::A).then(|| without_blanks(link.anchor));
            (link.tag.as_str(), link.target.to_owned(), rel, text)
        });
        let ours: Vec<_> = ours.collect();
        if ours.len() != theirs.len() {
            found.push(format!("{}: {} links, theirs {}", self.url, ours.len(), theirs.len()));
        }
        let differing = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs);
        found.extend(differing.map(|(ours, theirs)| format!("{}: {ours:?}, theirs {theirs:?}", self.url)));
        found
    }

    /// The links with the properties that both sides know, and only links by the rules of the index: tag, URL, `rel`,
    /// and the text without blanks. The text counts only for an `a` without an image. The other parser has plain text
    /// content without blanks at the edges of blocks, and no `alt` texts.
    fn links(&self) -> impl Iterator<Item = (&str, String, Rel, Option<String>)> {
        self.links.iter().filter_map(|TrueLink(tag, _, url, rel, text, has_image)| {
            let url = without_fragment_and_credentials(url.as_ref()?).filter(|url| *url != self.url)?;
            let rel = rel.as_deref().map_or(Rel::NONE, Rel::from_attribute);
            let tag = if tag == "a" && *has_image { "aimg" } else { tag };
            let cut: String = text.chars().take(ParseConfig::default().max_anchor_chars).collect();
            Some((tag, url, rel, (tag == "a").then(|| without_blanks(&cut))))
        })
    }

    /// Every host in a link of the page.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        self.links().filter_map(|(_, url, ..)| {
            let authority = url.split_once("://")?.1.split('/').next()?.to_owned();
            Some(authority.split(':').next()?.to_owned())
        })
    }
}

/// A text without its blanks, the no-break space included.
pub fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_whitespace() && *c != '\u{a0}').collect()
}

/// The browser's serialisation with what the canonical form drops taken out; `None` for other schemes.
pub fn without_fragment_and_credentials(abs: &str) -> Option<String> {
    let url = abs.split('#').next()?;
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}{path}"))
}
