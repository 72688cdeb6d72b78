//! The soak: `backlinkd run` against a generated web that changes continuously. See `benches/README.md`.
//!
//!     cargo bench --bench soak -- --minutes 120 [--program PATH] [--set section.key=value]…
//!
//! The web (`world`) is served on loopback (`server`). The daemon crawls it continuously while the soak records its
//! resources (`daemon`) and queries its API. Then the web is frozen until the crawler has fetched all of it, and the
//! index is compared with the truth (`judge`). The soak ends with 1 unless everything holds (`report`).
#![expect(
    unreachable_pub,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a bench may fail, and nothing imports it"
)]

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

/// Queries sent while the daemon crawls, for one domain after the other.
const QUESTIONS: [&str; 6] =
    ["anabacklinks", "backlinks", "referringdomains", "linktexts", "outgoinglinks", "newandlost-histogram"];

/// Time between two queries, and the longest between two samples.
const LOOK: Duration = Duration::from_secs(1);
const SAMPLE: Duration = Duration::from_secs(10);
/// Samples at least.
const SAMPLES: u32 = 60;

#[derive(Debug, Parser)]
#[command(about = "Crawls a generated, ever changing web for hours and compares the index with the truth")]
struct Args {
    /// Minutes for which the web changes: 120 for a soak, 3 for a quick check. Nothing is run without.
    #[arg(long)]
    minutes: f64,
    /// Minutes at most that the crawler then gets to fetch the last state.
    #[arg(long, default_value_t = 10.0)]
    settle: f64,
    #[arg(long, default_value_t = 100)]
    hosts: u32,
    /// Pages of a host in addition to its home page.
    #[arg(long, default_value_t = 60)]
    pages: u32,
    /// Seconds after which a page changes, in the median.
    #[arg(long, default_value_t = 60)]
    change: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program; built by cargo for this bench if none is given.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_backlinkd"))]
    program: PathBuf,
    /// Folder of the index and the log; a temporary folder if none is given.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Crawls hosts that respond slowly in addition, and attacks the API by clients (`benches/attacks.py`).
    #[arg(long)]
    attacked: bool,
    /// Sets one key of the daemon's configuration; may be repeated.
    #[arg(long, value_name = "section.key=value")]
    set: Vec<String>,
    /// Set by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The user of the API that the attackers authenticate as.
const ATTACKER: User = User { name: "mallory", password: "guess me" };

/// Crawl delay between two fetches of a host and of an address.
const PAUSE: Duration = Duration::from_millis(10);

/// Recrawls within seconds, and byte budgets that are full long before the first quarter ends.
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
    // `cargo bench` starts every bench, with the names of cases of other benches.
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

/// Samples the daemon and sends it queries while the web changes.
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

/// Waits until the crawler has fetched and stored the last state of everything, or `patience` is over.
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
            "{:>6.0} s  the web is frozen; {left} pages not yet visited",
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
