//! The command-line arguments, with an example for each command.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::setup_args::SetupCommand;
use super::terminal::log::LogFormat;
use crate::store::Role;

/// The data directory and the configuration of the service of the packages.
const SERVICE_DATA: &str = "/var/lib/backlinkd";
const SERVICE_CONFIG: &str = "/etc/backlinkd/config.toml";

/// An open, self-hosted backlink index: crawls the web, ranks its pages, and answers who links to whom.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 100,
    after_help = "Example:\n  backlinkd --data ./index crawl --seeds seeds.txt && backlinkd --data ./index serve"
)]
pub(super) struct Args {
    /// TOML file with the settings that differ from the defaults. With `--data /var/lib/backlinkd`, it is
    /// /etc/backlinkd/config.toml, if that exists.
    #[arg(long, global = true, value_name = "FILE", env = "BACKLINKD_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the index.
    #[arg(long, global = true, value_name = "DIR", env = "BACKLINKD_DATA", default_value = "data")]
    pub data: PathBuf,
    /// Whether `data` is more than the default.
    #[arg(skip)]
    pub data_is_given: bool,
    /// Sets one key of the configuration; may be repeated.
    #[arg(long, global = true, value_name = "section.key=value")]
    pub set: Vec<String>,
    /// Logs more; twice: everything.
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Prints only errors.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Format of the log: lines for people, or one JSON object per line.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Parses the command line.
    ///
    /// # Errors
    /// What is wrong with it, or the help that it asks for.
    pub(super) fn read() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches().map_err(name_empty_variable)?;
        let data_is_given =
            matches.value_source("data").is_some_and(|source| source != ValueSource::DefaultValue);
        let args = Self { data_is_given, ..Self::from_arg_matches(&matches)? };
        let config = args.config.or_else(|| service_config(&args.data, Path::new(SERVICE_CONFIG)));
        Ok(Self { config, ..args })
    }
}

/// The error for a variable of the environment that is empty, which otherwise speaks of an option.
fn name_empty_variable(error: clap::Error) -> clap::Error {
    let is_empty = |name: &&str| std::env::var_os(name).is_some_and(|value| value.is_empty());
    match ["BACKLINKD_CONFIG", "BACKLINKD_DATA"].iter().find(|name| is_empty(name)) {
        Some(name) if error.use_stderr() => Args::command().error(
            ErrorKind::InvalidValue,
            format!("the environment variable {name} is empty; give it a path, or remove it"),
        ),
        _ => error,
    }
}

/// The configuration of the service of the packages, for commands over its data directory.
fn service_config(data: &Path, config: &Path) -> Option<PathBuf> {
    (data == Path::new(SERVICE_DATA) && config.exists()).then(|| config.to_owned())
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Runs the daemon: crawls, ranks on a schedule and serves the API, until SIGTERM or Ctrl-C.
    #[command(
        after_help = "Example:\n  backlinkd --data /var/lib/backlinkd run --seeds seeds.txt --listen 127.0.0.1:8080"
    )]
    Run {
        /// File of URLs or hosts to start with, in addition to the seeds of the index; one per line; `-` for standard
        /// input.
        #[arg(long, value_name = "FILE")]
        seeds: Option<PathBuf>,
        /// Address and port of the API instead of api.listen.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Runs a batch: crawls until nothing is left or a limit is reached, then ranks.
    #[command(
        after_help = "Example:\n  echo example.com | backlinkd --data ./index crawl --seeds - --max-pages 1000"
    )]
    Crawl {
        /// File of URLs or hosts to start with, in addition to the seeds of the index; one per line; `-` for standard
        /// input.
        #[arg(long, value_name = "FILE")]
        seeds: Option<PathBuf>,
        /// Maximum number of pages to fetch.
        #[arg(long, value_name = "N")]
        max_pages: Option<u64>,
        /// Maximum time in seconds; fetches in flight are then completed.
        #[arg(long, value_name = "S")]
        max_seconds: Option<u64>,
        /// Does not compute the ranks.
        #[arg(long)]
        no_rank: bool,
    },
    /// Computes and publishes the IV Search Rank of all pages, hosts and domains. A running daemon does it itself.
    #[command(after_help = "Example:\n  backlinkd --data ./index rank")]
    Rank,
    /// Shows what a robots.txt allows: for each URL, `allowed` or `disallowed`, the deciding line and the URL.
    #[command(
        after_help = "Example:\n  backlinkd robots https://example.com/ --agent ExampleBot / /private/page"
    )]
    Robots {
        /// The file, `-` for standard input, or a URL of the host whose robots.txt to fetch.
        #[arg(value_name = "FILE|URL")]
        source: String,
        /// Name of the crawler. Default: fetch.user_agent, the name of this one.
        #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
        agent: Option<String>,
        /// URLs or paths.
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
    /// Serves the HTTP API only.
    #[command(after_help = "Example:\n  backlinkd --data ./index serve --listen 127.0.0.1:8080")]
    Serve {
        /// Address and port instead of api.listen.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Manages the seed list of the index, with which `run` and `crawl` start. A running daemon reloads it.
    #[command(subcommand, after_help = "Example:\n  backlinkd --data ./index seeds add example.com")]
    Seeds(SeedsCommand),
    /// Manages the block list of the index: hosts that are not fetched, in addition to crawl.block_list. A running
    /// daemon reloads it.
    #[command(
        subcommand,
        after_help = "Example:\n  backlinkd --data ./index block add example.com '*.example.org'"
    )]
    Block(BlockCommand),
    /// Manages the users of the API. Works while a daemon runs.
    #[command(subcommand, after_help = "Example:\n  backlinkd --data ./index user add alice")]
    User(UserCommand),
    /// Manages the access tokens of the API. Works while a daemon runs.
    #[command(subcommand, after_help = "Example:\n  backlinkd --data ./index token add notebook --role read")]
    Token(TokenCommand),
    /// Shows the size of the index. Works while a daemon runs.
    #[command(after_help = "Example:\n  backlinkd --data ./index stats --json")]
    Stats {
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Shows the state of a host: robots.txt, delay, queue, budget, last visits. Works while a daemon runs.
    #[command(after_help = "Example:\n  backlinkd --data ./index host www.example.com")]
    Host {
        /// A host, or any URL of it.
        host: String,
        /// Prints one JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Shows what the index knows of a URL, and why it is not fetched. Works while a daemon runs.
    #[command(after_help = "Example:\n  backlinkd --data ./index explain https://www.example.com/page")]
    Explain {
        url: String,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Serves tools for agents (Model Context Protocol) over standard input and output: through the API of the daemon that
    /// holds the data directory, or from the directory itself. Works while a daemon runs.
    #[command(after_help = "Example:\n  backlinkd --data ./index mcp")]
    Mcp {
        /// Address of another API, instead of --data.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Token for the API, as `token add` prints it. Other users of the machine can read a command line, so better give
        /// it in the environment.
        #[arg(long, value_name = "TOKEN", env = "BACKLINKD_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
    /// Checks that all parts of the index agree; exit status 1 when they do not.
    #[command(after_help = "Example:\n  backlinkd --data ./index verify --repair")]
    Verify {
        /// Rebuilds everything that is derived from pages and their links; removes unreadable rows.
        #[arg(long)]
        repair: bool,
    },
    /// Runs the whole pipeline on a small built-in web on loopback, adds a made-up year of history, and serves its page;
    /// uses a temporary directory instead of --data.
    #[command(after_help = "Example:\n  backlinkd demo")]
    Demo {
        /// Address and port of the API instead of api.listen, or of another port if that one is taken.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Checks its own answers on the crawled web alone, then exits.
        #[arg(long)]
        once: bool,
    },
    #[command(flatten)]
    Setup(SetupCommand),
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum SeedsCommand {
    /// Adds URLs or hosts that are not listed yet.
    #[command(
        after_help = "Example:\n  backlinkd --data ./index seeds add example.com https://example.org/docs/"
    )]
    Add {
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
    /// Removes URLs or hosts. Pages found through them stay.
    #[command(after_help = "Example:\n  backlinkd --data ./index seeds remove example.com")]
    Remove {
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
    /// Lists the seeds, one per line.
    #[command(after_help = "Example:\n  backlinkd --data ./index seeds list")]
    List,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum BlockCommand {
    /// Adds hosts, each with all hosts below it, or all hosts below a domain.
    #[command(after_help = "Example:\n  backlinkd --data ./index block add example.com '*.example.org'")]
    Add {
        #[arg(required = true, value_name = "HOST|*.DOMAIN")]
        names: Vec<String>,
    },
    /// Removes entries. Pages skipped meanwhile are fetched when they are due.
    #[command(after_help = "Example:\n  backlinkd --data ./index block remove example.com")]
    Remove {
        #[arg(required = true, value_name = "HOST|*.DOMAIN")]
        names: Vec<String>,
    },
    /// Lists the blocked hosts and domains, one per line.
    #[command(after_help = "Example:\n  backlinkd --data ./index block list")]
    List,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Adds a user, or changes a password; asks for the password, or reads it from standard input.
    #[command(after_help = "Example:\n  printf 'secret\\n' | backlinkd --data ./index user add alice")]
    Add {
        /// Name to sign in with: anything without ":" and control characters.
        name: String,
        /// What the user may do; may be repeated. Default: everything, or as before.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<RoleName>,
    },
    /// Removes a user.
    #[command(after_help = "Example:\n  backlinkd --data ./index user remove alice")]
    Remove {
        /// The name, as shown by `user list`.
        name: String,
    },
    /// Lists the users, one per line.
    #[command(after_help = "Example:\n  backlinkd --data ./index user list")]
    List,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Adds a token, and prints it once. From the first user or token on, the API needs credentials.
    #[command(
        after_help = "Example:\n  backlinkd --data ./index token add notebook --role read --expires 90d"
    )]
    Add {
        /// Name to list and remove it by: anything without ":" and control characters.
        name: String,
        /// What the token may do; may be repeated. Default: read.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<RoleName>,
        /// Time after which it is refused, such as 12h or 90d. Default: never.
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        expires: Option<Duration>,
    },
    /// Removes a token, which is refused at once. The last one without users needs --force: the API is then open on
    /// loopback, and closed elsewhere.
    #[command(after_help = "Example:\n  backlinkd --data ./index token remove notebook")]
    Remove {
        /// The name, as shown by `token list`.
        name: String,
        /// Removes it even if there are neither other tokens nor users.
        #[arg(long)]
        force: bool,
    },
    /// Lists the tokens, one per line: name, roles and end.
    #[command(after_help = "Example:\n  backlinkd --data ./index token list")]
    List,
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    /// Reads the index.
    Read,
    /// Controls the crawl.
    Operate,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Read => Self::Read,
            RoleName::Operate => Self::Operate,
        }
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.as_secs() == 0 => {
            Err("the token would have expired at once; write it like 12h or 90d".to_owned())
        }
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}; write it like 12h or 90d")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_the_service_has_the_configuration_of_the_service() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let data = Path::new(SERVICE_DATA);
        assert_eq!(service_config(data, file.path()).as_deref(), Some(file.path()));
        assert_eq!(service_config(data, Path::new("/no/such")), None);
        assert_eq!(service_config(Path::new("data"), file.path()), None);
    }
}
