//! The soak: `backlinkd run` against a generated web that changes all the time. See `benches/README.md`.
//!
//!     cargo bench --bench soak -- --minutes 120 [--program PATH] [--set section.key=value]…
//!
//! The web (`world`) is served on loopback (`server`), the daemon crawls it again and again while this looks at what it
//! takes (`daemon`) and asks its API. Then the web stands still until the crawler has seen all of it, and the index is
//! compared with the truth (`judge`). Ends with 1 unless everything holds (`report`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attackers;
mod daemon;
mod judge;
mod report;
mod server;
mod world;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;

use daemon::{Daemon, User};
use judge::{Verdict, judge, unvisited};
use report::{Sample, report};
use server::Server;
use world::World;

/// Questions asked while the daemon crawls, of one domain after the other.
const QUESTIONS: [&str; 6] =
    ["anabacklinks", "backlinks", "referringdomains", "linktexts", "outgoinglinks", "newandlost-histogram"];

/// Time between two questions, and the longest between two samples.
const LOOK: Duration = Duration::from_secs(1);
const SAMPLE: Duration = Duration::from_secs(10);
/// Samples that are taken at least.
const SAMPLES: u32 = 60;

#[derive(Debug, Parser)]
#[command(about = "Crawls a generated, ever changing web for hours and compares the index with the truth")]
struct Args {
    /// Minutes for which the web changes: 120 for a soak, 3 for a look. Nothing is run without.
    #[arg(long)]
    minutes: f64,
    /// Minutes that the crawler then gets at most to see the last state.
    #[arg(long, default_value_t = 10.0)]
    settle: f64,
    #[arg(long, default_value_t = 100)]
    hosts: u32,
    /// Pages of a host besides its home page.
    #[arg(long, default_value_t = 60)]
    pages: u32,
    /// Seconds in the middle after which a page changes.
    #[arg(long, default_value_t = 60)]
    change: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program; built by cargo for this bench where none is named.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_backlinkd"))]
    program: PathBuf,
    /// Where the index and the log are kept; a temporary folder where none is named.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Hosts that answer slowly are crawled besides, and clients attack the API (`benches/attacks.py`).
    #[arg(long)]
    attacked: bool,
    /// Sets one key of the daemon's configuration; may be given again.
    #[arg(long, value_name = "section.key=value")]
    set: Vec<String>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Who attacks the API, as one of its users.
const ATTACKER: User = User { name: "mallory", password: "guess me" };

/// Pause between two fetches of a host and of an address.
const PAUSE: Duration = Duration::from_millis(10);

/// Recrawls within seconds, and byte budgets so small that they are full long before the first quarter ends.
fn settings(overrides: &std::path::Path) -> Vec<String> {
    let mut settings = vec![
        format!("fetch.host_overrides={}", overrides.display()),
        format!("crawl.delay={}ms", PAUSE.as_millis()),
    ];
    let fixed = [
        "fetch.allow_private_addresses=127.0.0.0/8",
        "crawl.recrawl_after=20s",
        "crawl.recrawl_min=10s",
        "crawl.recrawl_max=1m",
        "crawl.seen_cache_urls=1000",
        "store.block_cache_bytes=16777216",
        "store.write_buffer_bytes=16777216",
        "search.memory_bytes=16777216",
        "search.disk_bytes=67108864",
        "search.refresh=0s",
        "api.answer_cache_bytes=4194304",
        "rank.first=30s",
        "rank.interval=1m",
    ];
    settings.extend(fixed.map(str::to_owned));
    settings
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    // `cargo bench` starts every bench, with the names of cases that others have.
    if !std::env::args().any(|argument| argument.starts_with("--minutes") || argument.starts_with("--help")) {
        println!("SKIPPED: the soak takes hours; run it by cargo bench --bench soak -- --minutes 120");
        return Ok(ExitCode::SUCCESS);
    }
    let args = Args::parse();
    let temporary = tempfile::tempdir()?;
    let work = args.work.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&work)?;
    if work.join("data").exists() {
        bail!("{} is there already; name another folder by --work", work.join("data").display());
    }
    let world = World {
        seed: args.seed,
        hosts: args.hosts,
        pages_per_host: args.pages,
        change: Duration::from_secs(args.change),
    };
    let mut seeds = String::new();
    for host in 0..args.hosts {
        let _ = writeln!(seeds, "http://{}/", world.host_name(host));
    }
    std::fs::write(work.join("seeds.txt"), seeds)?;
    let overrides = work.join("overrides.tsv");
    let server = Server::start(world, PAUSE, &overrides).await?;
    if args.attacked {
        attackers::start_slow_hosts(&overrides, &work.join("seeds.txt")).await?;
    }
    let mut given = settings(&overrides);
    given.extend(args.set.iter().cloned());
    let users: &[User] = if args.attacked { &[daemon::ASKER, ATTACKER] } else { &[] };
    let mut daemon = Daemon::start(&args.program, &work, &given, users).await?;
    let time = Duration::from_secs_f64(args.minutes * 60.0);
    let domain = server.world().domains().next().unwrap_or_default();
    let attack = || attackers::start_clients(daemon.address().port(), time, &domain, &ATTACKER);
    let mut clients = args.attacked.then(attack).transpose()?;
    let samples = watch(&server, &daemon, time, &work).await?;
    if let Some(clients) = &mut clients {
        clients.kill()?;
        clients.wait()?;
    }
    let still = server.freeze();
    let (verdict, left) =
        settle(&server, &daemon, still, Duration::from_secs_f64(args.settle * 60.0)).await?;
    let (status, took) = daemon.stop().await?;
    println!("ended {took:.1?} after SIGTERM, {status}");
    let counts = &server.counts;
    println!(
        "answered: {} pages, {} not modified, {} redirects, {} gone, {} failures on purpose",
        counts.pages.load(Relaxed),
        counts.not_modified.load(Relaxed),
        counts.redirects.load(Relaxed),
        counts.gone.load(Relaxed),
        counts.failures.load(Relaxed)
    );
    let faults = [
        ("requests for what robots.txt forbids", counts.forbidden.load(Relaxed)),
        ("requests before the pause was over", counts.hasty.load(Relaxed)),
        ("pages not visited since the web stood still", left as u64),
        ("exit status other than 0", u64::from(!status.success())),
        ("`backlinkd verify` finds something", u64::from(!daemon::verify(&args.program, &work)?)),
    ];
    let (text, holds) = report(&samples, &verdict, &faults);
    println!("{text}\n{}", if holds { "everything holds" } else { "NOT EVERYTHING HOLDS" });
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks at the daemon and asks it questions while the web changes.
async fn watch(
    server: &Server,
    daemon: &Daemon,
    time: Duration,
    work: &std::path::Path,
) -> anyhow::Result<Vec<Sample>> {
    let mut file = std::fs::File::create(work.join("samples.csv"))?;
    writeln!(file, "{}", Sample::HEADER)?;
    let domains: Vec<String> = server.world().domains().collect();
    let mut samples: Vec<Sample> = Vec::new();
    let mut asked = 0;
    while server.elapsed() < time {
        tokio::time::sleep(LOOK).await;
        let (question, domain) =
            (QUESTIONS[asked % QUESTIONS.len()], &domains[asked / QUESTIONS.len() % domains.len()]);
        let from = if question.ends_with("histogram") { "&from=20260101" } else { "" };
        daemon.ask(&format!("{question}?url={domain}{from}")).await?;
        asked += 1;
        if samples.last().is_none_or(|last| server.elapsed() >= last.at + SAMPLE.min(time / SAMPLES)) {
            let requests = server.counts.requests.load(Relaxed);
            let sample = Sample { at: server.elapsed(), requests, size: daemon.size()? };
            writeln!(file, "{}", sample.row())?;
            println!("{}", sample.line(samples.last()));
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// Waits until the crawler has seen the last state of everything and has stored it, or `patience` is over.
async fn settle(
    server: &Server,
    daemon: &Daemon,
    still: Duration,
    patience: Duration,
) -> anyhow::Result<(Verdict, usize)> {
    let end = still + patience;
    loop {
        tokio::time::sleep(5 * LOOK).await;
        let left = unvisited(server, still);
        println!(
            "{:>6.0} s  the web stands still; {left} pages yet to be visited",
            server.elapsed().as_secs_f64()
        );
        if left > 0 && server.elapsed() < end {
            continue;
        }
        let verdict = judge(server, daemon, still).await.context("the index cannot be compared")?;
        if verdict.differences.is_empty() || server.elapsed() >= end {
            return Ok((verdict, left));
        }
    }
}
