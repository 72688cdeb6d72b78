//! The report of the demo: plain text of about 100 columns, without colours.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use super::check::Check;
use super::questions::{QUESTIONS, Question};
use super::web::Web;
use super::year::YearSize;
use super::{DemoError, PASSWORD, USER};
use crate::api::AuthPolicy;
use crate::config::Span;
use crate::crawl::Figures;
use crate::model::SearchRank;
use crate::query::{Deadline, QueryError, SameDomainLinks, Scan, Selection};
use crate::store::Store;
use crate::urls::Scope;

/// Number of domains listed with their ranks.
const TOP: usize = 5;
/// Time limit for the counts in the list of domains.
const PATIENCE: Span = Span::seconds(60);

/// Writes the report, section by section.
pub(super) struct DemoReport<'o> {
    out: &'o mut dyn Write,
    sections: usize,
}

impl<'o> DemoReport<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out, sections: 0 }
    }

    fn section(&mut self, title: &str) -> io::Result<()> {
        self.sections += 1;
        let title = format!("{}. {title}", self.sections);
        writeln!(self.out, "\n{title}\n{}\n", "-".repeat(title.chars().count()))
    }

    /// # Errors
    /// [`DemoError::Output`].
    pub(super) fn web(&mut self, web: &Web) -> Result<(), DemoError> {
        let pages: usize = web.hosts.iter().map(|host| host.pages.len()).sum();
        writeln!(self.out, "backlinkd demo: a small web, crawled, ranked and served on this machine alone")?;
        self.section("The web: a harbour town that does not exist")?;
        writeln!(
            self.out,
            "   {pages} pages on {} hosts, each served at its own loopback address:\n",
            web.hosts.len()
        )?;
        for host in &web.hosts {
            let place = format!("{}, {}", host.place.city, host.place.ccode);
            let address = host.address.to_string();
            writeln!(self.out, "   {:24}{address:14}{place:17}{}", host.shown, host.about)?;
        }
        Ok(self.out.flush()?)
    }

    /// # Errors
    /// [`DemoError::Output`], or what the store reports.
    pub(super) fn crawl(
        &mut self,
        figures: &Figures,
        time: Duration,
        store: &Store,
    ) -> Result<(), DemoError> {
        let (stats, time) = (store.stats()?, time.as_millis());
        let [mut redirects, mut missing] = [0, 0];
        for row in store.snapshot().graph() {
            match row?.page.facts.status {
                300..=399 => redirects += 1,
                400.. => missing += 1,
                _ => {}
            }
        }
        self.section("The crawl: from the newspaper and a link directory to everything they lead to")?;
        let fetched = format!("{} pages, {redirects} redirects, {missing} not found", stats.html_pages);
        for (figure, what) in [
            (figures.visits, format!("URLs fetched in {time} ms: {fetched}")),
            (figures.disallowed, "URLs left alone, because the host's robots.txt asks for it".to_owned()),
            (stats.links, "links found on these pages".to_owned()),
            (stats.backlinks, "of them lead to another host: the backlinks".to_owned()),
            (stats.hosts, format!("hosts of {} registrable domains", stats.domains)),
        ] {
            writeln!(self.out, "   {figure:5}  {what}")?;
        }
        Ok(self.out.flush()?)
    }

    /// # Errors
    /// [`DemoError::Output`], or what the store reports.
    pub(super) fn ranks(&mut self, store: &Store) -> Result<(), DemoError> {
        self.section("The IV Search Rank: how strong a domain is, from 0 to 10")?;
        writeln!(
            self.out,
            "   0 is as strong as if no page linked to it; one more is eight times as strong.\n"
        )?;
        writeln!(self.out, "    rank   backlinks   from domains   domain")?;
        for (domain, rank) in strongest(store)? {
            let selection = Selection {
                scope: Scope::Domain { domain: domain.clone() },
                internal: SameDomainLinks::Include,
            };
            let deadline = Deadline::after(PATIENCE.0);
            let (snapshot, suffixes) = (store.snapshot(), store.suffixes());
            let scan = Scan { snapshot: &snapshot, selection: &selection, suffixes, deadline: &deadline };
            let counted = scan.counts()?.all;
            let (links, from) = (counted.backlinks, counted.refdoms);
            writeln!(self.out, "   {:5.2}{links:12}{from:15}   {domain}", rank.as_f64())?;
        }
        Ok(self.out.flush()?)
    }

    /// # Errors
    /// [`DemoError::Output`].
    pub(super) fn year(&mut self, size: YearSize) -> Result<(), DemoError> {
        let YearSize { sites, visits } = size;
        self.section("The year: what earlier visits found")?;
        writeln!(
            self.out,
            "   {sites:5}  further sites that do not exist, and no server was asked for them"
        )?;
        writeln!(self.out, "   {visits:5}  visits to them, on days of the last fourteen months\n")?;
        writeln!(
            self.out,
            "   These sites and all dates are made up, so that the charts of the page have a history to show."
        )?;
        Ok(self.out.flush()?)
    }

    /// # Errors
    /// [`DemoError::Output`].
    pub(super) fn questions(&mut self, at: SocketAddr, access: AuthPolicy) -> Result<(), DemoError> {
        let (user, who) = match access {
            AuthPolicy::Users => (
                format!("-u {USER}:{PASSWORD} "),
                format!("for user \"{USER}\" with password \"{PASSWORD}\""),
            ),
            AuthPolicy::Open => (String::new(), "for every program of this machine".to_owned()),
        };
        self.section(&format!("The API: at http://{at}, {who}"))?;
        for Question { shows, path, .. } in QUESTIONS {
            writeln!(self.out, "   {shows}:\n     curl {user}'http://{at}{path}'\n")?;
        }
        writeln!(
            self.out,
            "   Answers are JSON; add \"| jq\" or \"| python3 -m json.tool\" to read them with ease."
        )?;
        Ok(self.out.flush()?)
    }

    /// The last lines of a demo that keeps serving.
    ///
    /// # Errors
    /// [`DemoError::Output`].
    pub(super) fn open(&mut self, at: SocketAddr) -> Result<(), DemoError> {
        writeln!(self.out, "   Copy any of these lines into another terminal. Ctrl-C ends the demo.\n")?;
        writeln!(self.out, "Open http://{at}/")?;
        Ok(self.out.flush()?)
    }

    /// # Errors
    /// [`DemoError::Wrong`] when a check failed; [`DemoError::Output`].
    pub(super) fn checks(&mut self, checks: &[Check]) -> Result<(), DemoError> {
        self.section("The check: what was counted, and every answer, against the description of the web")?;
        for Check { what, found } in checks {
            match found {
                Ok(found) => writeln!(self.out, "   ok     {what:62}  {found}")?,
                Err(wrong) => writeln!(self.out, "   WRONG  {what}\n          {wrong}")?,
            }
        }
        let (wrong, all) = (checks.iter().filter(|check| check.found.is_err()).count(), checks.len());
        if wrong > 0 {
            return Err(DemoError::Wrong { wrong, all });
        }
        writeln!(self.out, "\n   All {all} checks hold.")?;
        Ok(self.out.flush()?)
    }
}

/// The domains with the highest rank; ties are in order of their names.
fn strongest(store: &Store) -> Result<Vec<(String, SearchRank)>, QueryError> {
    let snapshot = store.snapshot();
    let mut ranks = BTreeMap::new();
    for row in snapshot.graph() {
        let row = row?;
        let domain = store.suffixes().domain_of(row.url.host());
        ranks.insert(domain.to_owned(), snapshot.domain_rank(domain)?);
    }
    let mut strongest: Vec<_> = ranks.into_iter().collect();
    strongest.sort_by_key(|(_, rank)| std::cmp::Reverse(*rank));
    strongest.truncate(TOP);
    Ok(strongest)
}
