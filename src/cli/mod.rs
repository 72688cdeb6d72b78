//! The command line: what can be asked of `backlinkd`, and how it answers.
//!
//! Exit status: 0 when all went well, 1 when something failed (bad seed lines included), 2 when the command line
//! or the configuration is wrong.

mod args;
mod block_list;
mod console;
mod control;
mod crawl;
mod explain;
mod failures;
mod host;
mod limits;
mod log;
mod meter;
mod numbers;
mod own_list;
mod pid_file;
mod rank;
mod reload;
mod robots;
mod run;
pub mod seeds;
mod seeds_list;
mod serve;
mod signals;
mod standing;
mod stats;
pub mod users;
mod verify;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use rustix::fs::Mode;

use crate::config::{self, Config};
use crate::crawl::CrawlError;
use crate::demo::DemoOptions;
use crate::frontier::BlockedName;
use crate::store::{Store, StoreError};
use crate::urls::{CanonicalUrl, Suffixes, UrlRules};

use args::{Args, BlockCommand, Command, SeedsCommand, UserCommand};
use console::Console;
use own_list::{Change, Entry};
use signals::Stop;

/// The exit status of a wrong command line or configuration.
const USAGE: u8 = 2;

/// How often it is looked whether the process that holds the data directory takes requests, and the pause between:
/// it does so a moment after it has opened the store.
const HELD_ATTEMPTS: usize = 20;
const HELD_PAUSE: Duration = Duration::from_millis(100);

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Good,
    /// The work is done, but something asked for was not possible; it has been said.
    Partial,
}

/// What every command works with.
struct Setting {
    config: Config,
    rules: UrlRules,
    suffixes: Arc<Suffixes>,
    data: std::path::PathBuf,
    console: Console,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let console = Console::new(args.quiet);
    let log = log::start(&console, args.verbose, args.log_format);
    let setting = match log.and_then(|()| Setting::read(&args, &console)) {
        Ok(setting) => Arc::new(setting),
        Err(error) => {
            console.complain(format_args!("backlinkd: {error:#}"));
            return ExitCode::from(USAGE);
        }
    };
    match run(&setting, args.command) {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Partial) => ExitCode::FAILURE,
        Err(error) => {
            console.complain(format_args!("backlinkd: {error:#}"));
            failure(&error)
        }
    }
}

/// A file that the configuration names and that cannot be used is a wrong configuration.
fn failure(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(CrawlError::Fetch(_) | CrawlError::Geo(_)) => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

fn run(setting: &Arc<Setting>, command: Command) -> anyhow::Result<Ending> {
    // Whatever is made holds what its owner alone may read: password hashes, and pages that were fetched.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    match command {
        Command::Run { seeds, listen } => run::run(setting, seeds.as_deref(), listen),
        Command::Crawl { seeds, max_pages, max_seconds, no_rank } => crawl::crawl(
            setting,
            &crawl::Batch { seeds: seeds.as_deref(), max_pages, max_seconds, rank: !no_rank },
        ),
        Command::Rank => rank::rank(setting),
        Command::Robots { source, agent, urls } => robots::robots(setting, &source, agent.as_deref(), &urls),
        Command::Serve { listen } => serve::serve(setting, listen),
        Command::Seeds(command) => match command {
            SeedsCommand::Add { urls } => own_list::change::<CanonicalUrl>(setting, Change::Add, &urls),
            SeedsCommand::Remove { urls } => own_list::change::<CanonicalUrl>(setting, Change::Remove, &urls),
            SeedsCommand::List => seeds_list::list(setting),
        },
        Command::Block(command) => match command {
            BlockCommand::Add { names } => own_list::change::<BlockedName>(setting, Change::Add, &names),
            BlockCommand::Remove { names } => {
                own_list::change::<BlockedName>(setting, Change::Remove, &names)
            }
            BlockCommand::List => own_list::list::<BlockedName>(setting),
        },
        Command::User(command) => user(setting, command),
        Command::Stats { json } => stats::stats(setting, json),
        Command::Host { host, json } => host::host(setting, &host, json),
        Command::Explain { url, json } => explain::explain(setting, &url, json),
        Command::Verify { repair } => verify::verify(setting, repair),
        Command::Demo { listen, once } => demo(setting, listen, once),
    }
}

fn user(setting: &Setting, command: UserCommand) -> anyhow::Result<Ending> {
    match command {
        UserCommand::Add { name } => {
            users::check_name(&name)?;
            let store = setting.held(Setting::open_or_make)?;
            let hash = users::hashed(&users::read_password()?, crate::api::hash_password)?;
            let is_new = match store {
                Some(store) => users::put(&store, &name, &hash)?,
                None => control::put_user(&setting.data, &name, hash)?,
            };
            let done = if is_new { "Added" } else { "Changed the password of" };
            setting.console.tell(format_args!("{done} user {name}."));
        }
        UserCommand::Remove { name } => {
            match setting.held(Setting::open)? {
                Some(store) => users::remove(&store, &name)?,
                None => control::remove_user(&setting.data, &name)?,
            }
            setting.console.tell(format_args!("Removed user {name}."));
        }
        UserCommand::List => {
            let names = match control::is_held(&setting.data)? {
                true => control::list_users(&setting.data)?,
                false => users::list(&*setting.open_beside()?)?,
            };
            for name in names {
                setting.console.answer(name)?;
            }
        }
    }
    Ok(Ending::Good)
}

impl Setting {
    fn read(args: &Args, console: &Console) -> anyhow::Result<Self> {
        let mut config = config::load(args.config.as_deref(), config::environment(), &args.set)?;
        limits::fit_open_files(&mut config)?;
        let suffixes = Arc::new(config.urls.suffixes()?);
        let rules = config.urls.rules();
        Ok(Self { config, rules, suffixes, data: args.data.clone(), console: console.clone() })
    }

    /// Opens the data directory, making it if it is not there.
    fn open_or_make(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// Opens the data directory, which must hold an index.
    fn open(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open_existing(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// Opens the data directory; `None` when another process holds it that takes requests for changes. One that does
    /// not may be about to.
    fn held(&self, open: fn(&Self) -> anyhow::Result<Arc<Store>>) -> anyhow::Result<Option<Arc<Store>>> {
        for _ in 1..HELD_ATTEMPTS {
            if control::is_held(&self.data)? {
                return Ok(None);
            }
            match open(self) {
                Err(error) if matches!(error.downcast_ref(), Some(StoreError::InUse(_))) => {}
                opened => return opened.map(Some),
            }
            std::thread::sleep(HELD_PAUSE);
        }
        open(self).map(Some)
    }

    /// Opens the data directory to read it, whoever else uses it.
    fn open_beside(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open_beside(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// The seeds of the index itself and of the file given, and what was said of bad lines of both.
    fn seeds(&self, file: Option<&Path>) -> anyhow::Result<(Vec<CanonicalUrl>, Vec<String>)> {
        let (mut seeds, mut bad) = self.own_seeds()?;
        if let Some(file) = file {
            let (given, given_bad) = self.seeds_in(file)?;
            seeds.extend(given);
            bad.extend(given_bad);
        }
        Ok((seeds, bad))
    }

    /// The seeds of the index itself, likewise.
    fn own_seeds(&self) -> anyhow::Result<(Vec<CanonicalUrl>, Vec<String>)> {
        let own = CanonicalUrl::path_in(&self.data);
        if own.exists() { self.seeds_in(&own) } else { Ok((Vec::new(), Vec::new())) }
    }

    /// Reads a seed file; says which lines are bad. Gives the seeds, and what was said.
    fn seeds_in(&self, file: &Path) -> anyhow::Result<(Vec<CanonicalUrl>, Vec<String>)> {
        let name = if file.as_os_str() == "-" { Path::new("standard input") } else { file };
        let (seeds, bad) = seeds::read(file, &self.rules)
            .with_context(|| format!("the seed file {} cannot be read", name.display()))?;
        let said = |line| format!("{}, {line}; the line is skipped", name.display());
        let bad: Vec<String> = bad.iter().map(said).collect();
        bad.iter().for_each(|line| self.console.complain(line));
        Ok((seeds, bad))
    }
}

/// The async runtime of the commands that fetch or serve.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the program cannot be started")
}

fn demo(setting: &Setting, listen: Option<std::net::SocketAddr>, once: bool) -> anyhow::Result<Ending> {
    let runtime = runtime()?;
    let stop = Stop::on_signal(&runtime, &setting.console)?;
    let listen = listen.unwrap_or(setting.config.api.listen);
    let options = DemoOptions { listen, once, data: None };
    crate::demo::run(&options, &mut std::io::stdout().lock(), stop.flag())?;
    Ok(Ending::Good)
}
