//! The index: format, users, seeds, ranks, verification.

use std::sync::Arc;
use std::time::Duration;

use super::Patient;
use super::examination::Examination;
use crate::cli::process::maintenance::MaintenanceLog;
use crate::clock::unix_now;
use crate::policy::read_seed_file;
use crate::store::{FORMAT, SEEDS_FILE, Store, StoreError, StoredToken};

/// Age from which on ranks are old, and with them the order of lists.
const OLD_RANKS: Duration = Duration::from_secs(14 * SECONDS_A_DAY);
/// Age from which on the last verification is old.
const OLD_VERIFICATION: Duration = Duration::from_secs(90 * SECONDS_A_DAY);

const SECONDS_A_DAY: u64 = 86_400;

pub(super) fn all(patient: &Patient) -> Vec<Examination> {
    let config = &patient.loaded.config;
    let Ok(suffixes) = config.urls.suffixes() else {
        return vec![Examination::skipped("index", "not read, because the configuration cannot be used")];
    };
    // Beside the process that uses it.
    match Store::open_secondary(&patient.data, &config.store, Arc::new(suffixes)) {
        Ok(store) => [index, users, seeds, ranks, verification]
            .into_iter()
            .map(|check| check(patient, &store).unwrap_or_else(|error| unreadable(patient, &error)))
            .collect(),
        Err(StoreError::Absent(_)) => {
            vec![Examination::skipped("index", "there is none yet"), access(patient, 0, &[])]
        }
        Err(error) => vec![unreadable(patient, &error)],
    }
}

fn unreadable(patient: &Patient, error: &StoreError) -> Examination {
    let verify = format!("backlinkd --data {} verify", patient.data.display());
    let how = match error {
        StoreError::Format { .. } => {
            "use the version of backlinkd that wrote it, or crawl into a new --data".to_owned()
        }
        _ => format!("`{verify}` finds damage, and `{verify} --repair` rebuilds what can be rebuilt"),
    };
    Examination::fail("index", error.to_string(), how)
}

fn index(patient: &Patient, store: &Store) -> Result<Examination, StoreError> {
    const NAME: &str = "index";
    let format = store.format()?;
    let found = format!("format {format}");
    if format == FORMAT {
        return Ok(Examination::ok(NAME, found));
    }
    let upgrades = patient.loaded.config.store.upgrade;
    let how = if upgrades { "the next start upgrades it" } else { "allow that with store.upgrade" };
    Ok(Examination::warn(
        NAME,
        format!("{found}; this version writes format {FORMAT}"),
        format!("{how}; back it up before"),
    ))
}

fn users(patient: &Patient, store: &Store) -> Result<Examination, StoreError> {
    Ok(access(patient, store.user_names()?.len(), &store.tokens()?))
}

/// Who may use the API, and from where.
fn access(patient: &Patient, users: usize, tokens: &[StoredToken]) -> Examination {
    const NAME: &str = "users";
    let expired = tokens.iter().filter(|token| token.is_expired(unix_now())).count();
    let server = patient.server.as_ref().and_then(|server| server.address);
    let listen = server.unwrap_or(patient.loaded.config.api.listen);
    if users + tokens.len() == 0 {
        let add = format!("backlinkd --data {} user add NAME", patient.data.display());
        return match listen.ip().is_loopback() {
            true => Examination::ok(NAME, "none: the API is open to everyone on this machine"),
            false => Examination::fail(
                NAME,
                format!("none, and others can reach {listen}: the API does not start"),
                add,
            ),
        };
    }
    let found = format!("{users} users, {} tokens", tokens.len());
    if expired > 0 {
        let data = patient.data.display();
        let how =
            format!("backlinkd --data {data} token list, and backlinkd --data {data} token remove NAME");
        return Examination::warn(NAME, format!("{found}, of which {expired} have expired"), how);
    }
    Examination::ok(NAME, found)
}

fn seeds(patient: &Patient, store: &Store) -> Result<Examination, StoreError> {
    const NAME: &str = "seeds";
    let path = patient.data.join(SEEDS_FILE);
    let rules = patient.loaded.config.urls.rules();
    let (seeds, bad) =
        if path.exists() { read_seed_file(&path, &rules).unwrap_or_default() } else { Default::default() };
    if let Some(line) = bad.first() {
        let found = format!("{}: {line}; {} lines are skipped", path.display(), bad.len());
        return Ok(Examination::warn(
            NAME,
            found,
            format!("backlinkd --data {} seeds remove 'TEXT OF THE LINE'", patient.data.display()),
        ));
    }
    if seeds.is_empty() && store.is_empty()? && store.queues(None, 1)?.is_empty() {
        let how = format!("backlinkd --data {} seeds add example.com", patient.data.display());
        return Ok(Examination::warn(NAME, "none, and nothing is indexed: there is nothing to crawl", how));
    }
    Ok(Examination::ok(NAME, format!("{} in the list of the index", seeds.len())))
}

fn ranks(patient: &Patient, store: &Store) -> Result<Examination, StoreError> {
    const NAME: &str = "ranks";
    let how = format!("backlinkd --data {} rank", patient.data.display());
    if store.snapshot().rank_generation()? == 0 {
        return Ok(match store.is_empty()? {
            true => Examination::skipped(NAME, "none, as nothing is indexed"),
            false => Examination::warn(NAME, "never computed: every rank is 0", how),
        });
    }
    let Some(ranked) = MaintenanceLog::read(&patient.data).ranked else {
        return Ok(Examination::ok(NAME, "computed at an unknown time"));
    };
    let (age, text) = age(ranked);
    let limit = OLD_RANKS.max(patient.loaded.config.rank.interval.0.saturating_mul(3));
    Ok(match age > limit {
        true => Examination::warn(NAME, format!("computed {text}"), how),
        false => Examination::ok(NAME, format!("computed {text}")),
    })
}

fn verification(patient: &Patient, store: &Store) -> Result<Examination, StoreError> {
    const NAME: &str = "verification";
    let log = MaintenanceLog::read(&patient.data);
    let how = format!("backlinkd --data {} verify, while no process uses the index", patient.data.display());
    let Some(verified) = log.verified else {
        return Ok(match store.is_empty()? {
            true => Examination::skipped(NAME, "never, as nothing is indexed"),
            false => Examination::skipped(NAME, format!("never; {how}")),
        });
    };
    let (age, text) = age(verified);
    Ok(match log.is_clean {
        false => {
            Examination::fail(NAME, format!("{text}, and it found damage"), format!("{how}; with --repair"))
        }
        true if age > OLD_VERIFICATION => Examination::warn(NAME, format!("{text}, without damage"), how),
        true => Examination::ok(NAME, format!("{text}, without damage")),
    })
}

/// The age of a time, also in words.
fn age(time: u64) -> (Duration, String) {
    let age = Duration::from_secs(unix_now().saturating_sub(time));
    let seconds = age.as_secs();
    let text = match seconds {
        0..120 => "just now".to_owned(),
        120..7_200 => format!("{} minutes ago", seconds / 60),
        7_200..172_800 => format!("{} hours ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / SECONDS_A_DAY),
    };
    (age, text)
}
