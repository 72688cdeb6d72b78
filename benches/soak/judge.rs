//! Compares the index with the truth: the API's answers for every domain with the current and earlier responses of the
//! generated web.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::server::Server;
use crate::world::{PageId, State, World};

/// A source and a target.
type Pair = (String, String);

/// The expected state of one domain.
#[derive(Debug, Default)]
struct Expected {
    /// By URL: the current state of every visited page.
    pages: BTreeMap<String, State>,
    /// Active backlinks, and backlinks of any earlier visit.
    active: BTreeSet<Pair>,
    ever: BTreeSet<Pair>,
    external: u64,
    internal: u64,
}

/// The counts of compared items, and one line for each difference.
#[derive(Debug, Default)]
pub struct Verdict {
    pub pages: usize,
    pub links: usize,
    pub backlinks: usize,
    pub lost: usize,
    pub differences: Vec<String>,
}

/// The number of pages that the crawler has not yet requested since the web is frozen: known ones, and the targets of
/// these.
pub fn unvisited(server: &Server, since: Duration) -> usize {
    let told = server.told.lock().unwrap_or_else(PoisonError::into_inner);
    let world = server.world();
    let fresh = |page: &PageId| told.get(page).is_some_and(|told| told.asked > since);
    let linked = told.keys().filter(|page| fresh(page)).flat_map(|&page| targets(&world.state(page, since)));
    let linked: BTreeSet<PageId> = linked.filter_map(|target| page_at(world, &target)).collect();
    let known = told.keys().filter(|page| !linked.contains(page)).filter(|page| !fresh(page)).count();
    known + linked.iter().filter(|page| !fresh(page)).count()
}

fn targets(state: &State) -> Vec<String> {
    match state {
        State::Page { links, .. } => links.iter().map(|link| link.target.clone()).collect(),
        State::Redirect { target, .. } => vec![target.clone()],
        State::Gone { .. } => Vec::new(),
    }
}

/// The page of this web that a URL leads to.
fn page_at(world: &World, url: &str) -> Option<PageId> {
    let (name, path) = url.strip_prefix("http://")?.split_once('/')?;
    let host = world.host_of(name)?;
    world.page_of(host, &format!("/{path}"))
}

fn host(url: &str) -> &str {
    url.split('/').nth(2).unwrap_or_default()
}

/// The registrable domain: every host here has three labels.
fn domain(url: &str) -> String {
    host(url).split_once('.').map_or("", |(_, domain)| domain).to_owned()
}

fn is_external(source: &str, target: &str) -> bool {
    let bare = |url| host(url).strip_prefix("www.").unwrap_or(host(url)).to_owned();
    bare(source) != bare(target)
}

fn expected(server: &Server, now: Duration) -> HashMap<String, Expected> {
    let told = server.told.lock().unwrap_or_else(PoisonError::into_inner);
    let world = server.world();
    let mut all: HashMap<String, Expected> = HashMap::new();
    for (&page, told) in told.iter() {
        let (url, state) = (world.url(page), world.state(page, now));
        for target in targets(&state) {
            let own = all.entry(domain(&url)).or_default();
            if is_external(&url, &target) {
                own.external += 1;
                all.entry(domain(&target)).or_default().active.insert((url.clone(), target));
            } else {
                own.internal += 1;
            }
        }
        for target in told.targets.iter().filter(|target| is_external(&url, target)) {
            all.entry(domain(target)).or_default().ever.insert((url.clone(), target.clone()));
        }
        all.entry(domain(&url)).or_default().pages.insert(url, state);
    }
    all
}

/// Compares everything.
pub async fn judge(server: &Server, daemon: &Daemon, now: Duration) -> anyhow::Result<Verdict> {
    let mut all = expected(server, now);
    let mut verdict = Verdict::default();
    for domain in server.world().domains().chain(["outside.test".to_owned()]) {
        let expected = all.remove(&domain).unwrap_or_default();
        compare_pages(&domain, &expected, &daemon.export("exportpages", &domain).await?, &mut verdict);
        compare_backlinks(
            &domain,
            &expected,
            &daemon.export("exportbacklinks", &domain).await?,
            &mut verdict,
        );
        let backlinks = daemon.ask(&format!("anabacklinks?url={domain}")).await?;
        let links = daemon.ask(&format!("outgoinglinkcount?url={domain}")).await?;
        let counts = [
            ("anabacklinks", backlinks["response"][0]["backlinks"].as_u64(), expected.active.len() as u64),
            ("extLinks", outgoing(&links, "extLinks"), expected.external),
            ("intLinks", outgoing(&links, "intLinks"), expected.internal),
        ];
        for (name, found, wanted) in counts {
            if found != Some(wanted) {
                verdict.differences.push(format!("{domain}: {name} is {found:?}, should be {wanted}"));
            }
        }
    }
    Ok(verdict)
}

/// The frequency of one type of outgoing links.
fn outgoing(answer: &Value, linktype: &str) -> Option<u64> {
    answer["response"].as_array()?.iter().find(|row| row["linktype"] == linktype)?["frequency"].as_u64()
}

fn compare_pages(domain: &str, expected: &Expected, rows: &[Value], verdict: &mut Verdict) {
    let mut left = expected.pages.clone();
    for row in rows {
        let url = row["info"]["url"].as_str().unwrap_or_default();
        let Some(state) = left.remove(url) else {
            verdict.differences.push(format!("{domain}: {url} was never answered, or is listed twice"));
            continue;
        };
        let wanted = rows_of(&state);
        let mut found: Vec<&Value> =
            ["extL", "intL"].iter().filter_map(|kind| row[*kind].as_array()).flatten().collect();
        found.sort_by_key(|link| link["pos"].as_u64());
        let found: Vec<String> = found.into_iter().map(link_row).collect();
        verdict.pages += 1;
        verdict.links += found.len();
        let code = row["info"]["http-code"].as_u64();
        let title = row["info"]["title"].as_str();
        let (status, true_title) = match &state {
            State::Page { title, .. } => (200, Some(title.as_str())),
            State::Redirect { status, .. } | State::Gone { status } => (u64::from(*status), title),
        };
        if code != Some(status) || title != true_title || found != wanted {
            verdict.differences.push(format!(
                "{url}: {code:?} {title:?} with {found:?}, should be {status} {true_title:?} with {wanted:?}"
            ));
        }
    }
    verdict.differences.extend(left.keys().map(|url| format!("{domain}: {url} is missing")));
}

/// The links of a page as [`link_row`] writes them.
fn rows_of(state: &State) -> Vec<String> {
    match state {
        State::Page { links, .. } => {
            let rows = links.iter().zip(1..).map(|(link, pos)| {
                format!("{pos} {} {} {:?} {}", link.tag, link.target, link.anchor, link.nofollow)
            });
            rows.collect()
        }
        State::Redirect { status, target } => vec![format!("1 {status} {target} \"\" false")],
        State::Gone { .. } => Vec::new(),
    }
}

fn link_row(link: &Value) -> String {
    let text = |name: &str| link[name].as_str().unwrap_or_default();
    format!("{} {} {} {:?} {}", link["pos"], text("tag"), text("url"), text("anchor"), link["nofollow"])
}

fn compare_backlinks(domain: &str, expected: &Expected, rows: &[Value], verdict: &mut Verdict) {
    let (mut active, mut ever) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let pair = (text("backlinkpage"), text("linktarget"));
        if row["active"] == true {
            active.insert(pair.clone());
        }
        if !ever.insert(pair.clone()) {
            verdict.differences.push(format!("{domain}: {pair:?} is listed twice"));
        }
    }
    verdict.backlinks += active.len();
    verdict.lost += ever.len() - active.len();
    for (what, found, wanted) in [("active", &active, &expected.active), ("known", &ever, &expected.ever)] {
        verdict
            .differences
            .extend(found.difference(wanted).map(|pair| format!("{domain}: {pair:?} should not be {what}")));
        verdict
            .differences
            .extend(wanted.difference(found).map(|pair| format!("{domain}: {pair:?} should be {what}")));
    }
}
