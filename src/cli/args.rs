//! The arguments, with an example for each command.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use super::log::LogFormat;

/// An open, self-hosted backlink index: crawls the web, ranks its pages, answers who links to whom.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 100,
    after_help = "Example:\n  backlinkd --data ./index crawl --seeds seeds.txt && backlinkd --data ./index serve"
)]
pub(super) struct Args {
    /// A TOML file with what is to differ from the defaults.
    #[arg(long, global = true, value_name = "FILE", env = "BACKLINKD_CONFIG")]
    pub config: Option<PathBuf>,
    /// The directory that holds the index.
    #[arg(long, global = true, value_name = "DIR", env = "BACKLINKD_DATA", default_value = "data")]
    pub data: PathBuf,
    /// Sets one key of the configuration; may be given again.
    #[arg(long, global = true, value_name = "section.key=value")]
    pub set: Vec<String>,
    /// Says more in the log; twice: everything.
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Says only what went wrong.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How the log is written: lines for people, or one JSON object a line.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The daemon: crawls, ranks on a schedule and serves the API, until SIGTERM or Ctrl-C.
    #[command(
        after_help = "Example:\n  backlinkd --data /var/lib/backlinkd run --seeds seeds.txt --listen 127.0.0.1:8080"
    )]
    Run {
        /// URLs or hosts to begin with besides the index's own seeds, one a line; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        seeds: Option<PathBuf>,
        /// Address and port of the API instead of api.listen.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// A batch: crawls until nothing is left or a limit is met, then ranks.
    #[command(
        after_help = "Example:\n  echo example.com | backlinkd --data ./index crawl --seeds - --max-pages 1000"
    )]
    Crawl {
        /// URLs or hosts to begin with besides the index's own seeds, one a line; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        seeds: Option<PathBuf>,
        /// Pages fetched at most.
        #[arg(long, value_name = "N")]
        max_pages: Option<u64>,
        /// Seconds at most; fetches under way then are finished.
        #[arg(long, value_name = "S")]
        max_seconds: Option<u64>,
        /// Leaves the ranks as they are.
        #[arg(long)]
        no_rank: bool,
    },
    /// Computes the IV Search Rank of all pages, hosts and domains, and publishes it.
    #[command(after_help = "Example:\n  backlinkd --data ./index rank")]
    Rank,
    /// What a robots.txt lets a crawler fetch: a row for each URL, `allowed` or `disallowed`, line and URL.
    #[command(
        after_help = "Example:\n  backlinkd robots https://example.com/ --agent ExampleBot / /private/page"
    )]
    Robots {
        /// The file, `-` for standard input, or a URL of the host whose robots.txt is asked for.
        #[arg(value_name = "FILE|URL")]
        source: String,
        /// The crawler's name; ours, which is fetch.user_agent, by default.
        #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
        agent: Option<String>,
        /// URLs or paths.
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
    /// The HTTP API alone.
    #[command(after_help = "Example:\n  backlinkd --data ./index serve --listen 127.0.0.1:8080")]
    Serve {
        /// Address and port instead of api.listen.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// The index's own list of seeds, which `run` and `crawl` begin with. A running daemon is told of changes.
    #[command(subcommand, after_help = "Example:\n  backlinkd --data ./index seeds add example.com")]
    Seeds(SeedsCommand),
    /// The index's own list of hosts that are not fetched, besides crawl.block_list. A running daemon is told of
    /// changes.
    #[command(
        subcommand,
        after_help = "Example:\n  backlinkd --data ./index block add example.com '*.example.org'"
    )]
    Block(BlockCommand),
    /// The users of the API. Also beside a daemon.
    #[command(subcommand, after_help = "Example:\n  backlinkd --data ./index user add alice")]
    User(UserCommand),
    /// The size of the index. Also beside a daemon.
    #[command(after_help = "Example:\n  backlinkd --data ./index stats --json")]
    Stats {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// What is known of a host as a server: robots.txt, delay, queue, budget, last visits. Also beside a daemon.
    #[command(after_help = "Example:\n  backlinkd --data ./index host www.example.com")]
    Host {
        /// A host, or any URL of it.
        host: String,
        /// As one JSON array.
        #[arg(long)]
        json: bool,
    },
    /// What is known of a URL, and why it is not fetched. Also beside a daemon.
    #[command(after_help = "Example:\n  backlinkd --data ./index explain https://www.example.com/page")]
    Explain {
        url: String,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Whether everything in the index agrees with everything else; status 1 when something does not.
    #[command(after_help = "Example:\n  backlinkd --data ./index verify --repair")]
    Verify {
        /// Makes anew what is derived from pages and their links; removes what cannot be read.
        #[arg(long)]
        repair: bool,
    },
    /// The whole story on a small web of its own, served on loopback; in a temporary directory, not in --data.
    #[command(after_help = "Example:\n  backlinkd demo")]
    Demo {
        /// Address and port of the API instead of api.listen.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Checks its own answers, then exits.
        #[arg(long)]
        once: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SeedsCommand {
    /// Adds URLs or hosts that are not there yet.
    #[command(
        after_help = "Example:\n  backlinkd --data ./index seeds add example.com https://example.org/docs/"
    )]
    Add {
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
    /// Removes URLs or hosts. What was found by them stays.
    #[command(after_help = "Example:\n  backlinkd --data ./index seeds remove example.com")]
    Remove {
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
    /// Lists the seeds, one a line.
    #[command(after_help = "Example:\n  backlinkd --data ./index seeds list")]
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum BlockCommand {
    /// Adds hosts, each with all below it, or all below a domain.
    #[command(after_help = "Example:\n  backlinkd --data ./index block add example.com '*.example.org'")]
    Add {
        #[arg(required = true, value_name = "HOST|*.DOMAIN")]
        names: Vec<String>,
    },
    /// Removes what was added. What was not fetched meanwhile is fetched when it is due.
    #[command(after_help = "Example:\n  backlinkd --data ./index block remove example.com")]
    Remove {
        #[arg(required = true, value_name = "HOST|*.DOMAIN")]
        names: Vec<String>,
    },
    /// Lists what is blocked, one host or domain a line.
    #[command(after_help = "Example:\n  backlinkd --data ./index block list")]
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Adds a user, or changes a password; asks for it, or reads it from standard input.
    #[command(after_help = "Example:\n  printf 'secret\\n' | backlinkd --data ./index user add alice")]
    Add {
        /// What the user signs in by: anything without ":" and control characters.
        name: String,
    },
    /// Removes a user.
    #[command(after_help = "Example:\n  backlinkd --data ./index user remove alice")]
    Remove {
        /// As `user list` shows it.
        name: String,
    },
    /// Lists the users, one a line.
    #[command(after_help = "Example:\n  backlinkd --data ./index user list")]
    List,
}
