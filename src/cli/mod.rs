//! The command line: what can be asked of `backlinkd`, and how it answers.
//!
//! Exit status: 0 when all went well, 1 when something failed (bad seed lines included), 2 when the command line
//! or the configuration is wrong.

mod args;
mod crawl;
mod meter;
mod rank;
mod run;
pub mod seeds;
mod serve;
mod stats;
pub mod users;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::config::{self, Config};
use crate::demo::DemoOptions;
use crate::store::Store;
use crate::urls::{Suffixes, UrlRules};

use args::{Args, Command, UserCommand};

/// The exit status of a wrong command line or configuration.
const USAGE: u8 = 2;

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
    quiet: bool,
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
    start_log(&args);
    let setting = match Setting::read(&args) {
        Ok(setting) => setting,
        Err(error) => {
            eprintln!("backlinkd: {error}");
            return ExitCode::from(USAGE);
        }
    };
    match run(&setting, args.command) {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Partial) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("backlinkd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(setting: &Setting, command: Command) -> anyhow::Result<Ending> {
    match command {
        Command::Run { seeds, listen } => run::run(setting, seeds.as_deref(), listen),
        Command::Crawl { seeds, max_pages, max_seconds, no_rank } => {
            crawl::crawl(setting, &crawl::Batch { seeds: &seeds, max_pages, max_seconds, rank: !no_rank })
        }
        Command::Rank => rank::rank(setting),
        Command::Serve { listen } => serve::serve(setting, listen),
        Command::User(command) => user(setting, command),
        Command::Stats { json } => stats::stats(setting, json),
        Command::Demo { listen, once } => demo(setting, listen, once),
    }
}

fn user(setting: &Setting, command: UserCommand) -> anyhow::Result<Ending> {
    let store = setting.open_or_make()?;
    match command {
        UserCommand::Add { name } => {
            let password = users::read_password()?;
            let is_new = users::add(&store, &name, &password, crate::api::hash_password)?;
            eprintln!("{} user {name}.", if is_new { "Added" } else { "Changed the password of" });
        }
        UserCommand::Remove { name } => {
            users::remove(&store, &name)?;
            eprintln!("Removed user {name}.");
        }
        UserCommand::List => users::list(&store)?.iter().for_each(|name| println!("{name}")),
    }
    Ok(Ending::Good)
}

impl Setting {
    fn read(args: &Args) -> anyhow::Result<Self> {
        let config = config::load(args.config.as_deref(), config::environment(), &args.set)?;
        let suffixes = Arc::new(config.urls.suffixes()?);
        let rules = config.urls.rules();
        Ok(Self { config, rules, suffixes, data: args.data.clone(), quiet: args.quiet })
    }

    /// Opens the data directory, making it if it is not there.
    fn open_or_make(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// Opens the data directory, which must hold an index.
    fn open(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open_existing(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// Reads a seed file; says which lines are bad. Gives the seeds, and whether all lines were good.
    fn seeds(&self, file: &Path) -> anyhow::Result<(Vec<crate::urls::CanonicalUrl>, bool)> {
        let (seeds, bad) = seeds::read(file, &self.rules)
            .with_context(|| format!("the seed file {} cannot be read", file.display()))?;
        for line in &bad {
            eprintln!("{}: {line}; the line is skipped", file.display());
        }
        Ok((seeds, bad.is_empty()))
    }
}

/// The async runtime of the commands that fetch or serve.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the program cannot be started")
}

/// A flag that SIGTERM and SIGINT set. A second signal ends the process at once.
fn stop_on_signal(runtime: &tokio::runtime::Runtime) -> anyhow::Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let _entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    runtime.spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if flag.swap(true, Ordering::Relaxed) {
                eprintln!("backlinkd: stopped at once; what was under way is in the queue.");
                std::process::exit(1);
            }
            eprintln!("backlinkd: stopping; a second signal stops at once.");
        }
    });
    Ok(stop)
}

/// Waits until the flag is set.
async fn stopped(stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Logs go to standard error; `BACKLINKD_LOG` takes a filter such as `backlinkd::fetch=debug`.
fn start_log(args: &Args) {
    let level = match (args.quiet, args.verbose) {
        (true, _) => "error",
        // warp reports every client that goes away as an error.
        (false, 0) => "backlinkd=info,warn,warp=off",
        (false, 1) => "backlinkd=debug,info,warp=off",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_env("BACKLINKD_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

fn demo(setting: &Setting, listen: Option<std::net::SocketAddr>, once: bool) -> anyhow::Result<Ending> {
    let runtime = runtime()?;
    let stop = stop_on_signal(&runtime)?;
    let listen = listen.unwrap_or(setting.config.api.listen);
    let options = DemoOptions { listen, once, data: None };
    crate::demo::run(&options, &mut std::io::stdout().lock(), &stop)?;
    Ok(Ending::Good)
}
