//! The configuration, and what it names outside of the machine.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Patient;
use super::examination::Examination;
use crate::cli::commands::setup::named_files::{check_files, is_pipe};
use crate::cli::terminal::console::with_causes;
use crate::fetch::PinnedAddresses;
use crate::geo::{Geo, PlaceSchema};
use crate::model::FailureKind;
use crate::policy::read_seed_file;
use crate::store::SEEDS_FILE;
use crate::urls::CanonicalUrl;

/// Age from which on a place database is old. Addresses move; its makers publish at least every month.
const OLD_DATABASE: Duration = Duration::from_secs(90 * 86_400);

pub(super) fn all(patient: &Patient) -> Vec<Examination> {
    vec![contact(patient), resolver(patient), places(patient)]
}

/// A configuration that could be read.
pub(super) fn configuration(patient: &Patient) -> Examination {
    const NAME: &str = "configuration";
    let keys = patient.loaded.set_keys();
    let mut config = patient.loaded.config.clone();
    if patient.server.is_some() {
        // The server has read it. This account may be another, or see another file there.
        config.api.user_file = PathBuf::new();
    }
    match check_files(&config) {
        Err(error) => {
            Examination::fail(NAME, with_causes(&error), "correct the key or the file that it names")
        }
        Ok(()) => {
            let name = |file: &Option<PathBuf>| {
                file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string())
            };
            let found = format!("{}, {keys} keys set", name(&patient.sources.file));
            let theirs = patient.server.as_ref().and_then(|server| server.sources.as_ref());
            match theirs {
                Some(theirs) if theirs.file != patient.sources.file => {
                    let found = format!("{found}; the daemon runs with {}", name(&theirs.file));
                    Examination::warn(NAME, found, "leave --config out to examine the daemon as it runs")
                }
                Some(_) => Examination::ok(NAME, format!("{found}, as the daemon runs")),
                None => Examination::ok(NAME, found),
            }
        }
    }
}

fn contact(patient: &Patient) -> Examination {
    match patient.loaded.config.fetch.contact.as_str() {
        "" => Examination::warn(
            "contact",
            "fetch.contact is empty: site owners cannot reach you, and some block crawlers without one",
            "put the address of a page about your crawler, or an e-mail address, into fetch.contact",
        ),
        contact if contact_url(patient).is_none() => Examination::warn(
            "contact",
            format!("fetch.contact is \"{contact}\", which names neither a page nor an e-mail address"),
            "write it like https://example.com/crawler or crawler@example.com",
        ),
        contact => Examination::ok("contact", contact),
    }
}

/// Resolves one name as the crawl does: the host of the contact, or else of the first seed. No other name is asked for.
fn resolver(patient: &Patient) -> Examination {
    const NAME: &str = "resolver";
    let config = &patient.loaded.config.fetch;
    let Some(url) = contact_url(patient).or_else(|| first_seed(patient)) else {
        return Examination::skipped(NAME, "not tried: neither fetch.contact nor the seed list names a host");
    };
    let _entered = patient.runtime.enter();
    let host = url.host();
    let addresses = match PinnedAddresses::new(config) {
        Ok(addresses) => addresses,
        Err(error) => return Examination::fail(NAME, error.to_string(), "correct that key"),
    };
    match patient.runtime.block_on(addresses.resolve(&url)) {
        Ok(address) => Examination::ok(NAME, format!("{host} has the address {address}")),
        // The name was resolved, and the crawl would not go there.
        Err(failure) if failure.kind == FailureKind::AddressRefused => {
            Examination::ok(NAME, failure.to_string())
        }
        Err(failure) => Examination::fail(
            NAME,
            format!("{host} was not resolved: {failure}"),
            "check that name, and the name servers in fetch.nameservers or /etc/resolv.conf",
        ),
    }
}

/// A URL of the host that the contact names: a page, or the domain of an e-mail address.
fn contact_url(patient: &Patient) -> Option<CanonicalUrl> {
    let rules = patient.loaded.config.urls.rules();
    let contact = &patient.loaded.config.fetch.contact;
    let words = contact.split(|c: char| c.is_whitespace() || "<>(),;".contains(c));
    let host = |word: &str| {
        let word = word.trim_start_matches('+');
        let word = word.strip_prefix("mailto:").unwrap_or(word);
        match word.split_once('@') {
            Some((_, domain)) if !word.contains('/') => rules.parse_typed(domain).ok(),
            _ if word.contains("://") => rules.canonical(word).ok(),
            _ => None,
        }
    };
    words.into_iter().find_map(host)
}

fn first_seed(patient: &Patient) -> Option<CanonicalUrl> {
    let rules = patient.loaded.config.urls.rules();
    let (seeds, _) = read_seed_file(&patient.data.join(SEEDS_FILE), &rules).ok()?;
    seeds.into_iter().next()
}

/// Whether a file begins as gzip does (RFC 1952).
fn is_gzip(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == [0x1f, 0x8b]
}

fn places(patient: &Patient) -> Examination {
    const NAME: &str = "place database";
    let config = &patient.loaded.config.geo;
    let file = config.database.display();
    if is_pipe(&config.database) {
        return Examination::fail(NAME, format!("{file} is a pipe"), "give another file, or none");
    }
    let summary = match Geo::open(config).map(|geo| geo.summary()) {
        Err(error) => {
            let how = match is_gzip(&config.database) {
                true => format!("unpack it: gunzip {file}, and give geo.database the file without .gz"),
                false => "give another file, or none".to_owned(),
            };
            return Examination::fail(NAME, error.to_string(), how);
        }
        Ok(Err(error)) => {
            return Examination::fail(NAME, format!("{file} is damaged: {error}"), "download it again");
        }
        Ok(Ok(None)) => {
            return Examination::warn(
                NAME,
                "geo.database is not set: countries and cities stay empty",
                "put the path of a .mmdb file of MaxMind, DB-IP, IPinfo or ip-location-db into geo.database",
            );
        }
        Ok(Ok(Some(summary))) => summary,
    };
    let age = summary.built.and_then(|built| SystemTime::now().duration_since(built).ok());
    let days = age.map_or("of unknown age".to_owned(), |age| format!("{} days old", age.as_secs() / 86_400));
    let found = format!("{file} ({}), {days}: {}", summary.kind, summary.schema);
    match summary.schema {
        PlaceSchema::Unknown(_) => {
            Examination::warn(NAME, found, "give a database of cities or countries to geo.database")
        }
        _ if age.is_some_and(|age| age > OLD_DATABASE) => {
            Examination::warn(NAME, found, "download a newer one, and start the daemon again")
        }
        _ => Examination::ok(NAME, found),
    }
}
