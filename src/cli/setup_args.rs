//! The arguments of the commands for the first steps and for checks.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// Commands that set up, check or try the program.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum SetupCommand {
    /// Shows and checks the configuration.
    #[command(subcommand, after_help = "Example:\n  backlinkd config show --origin crawl.delay")]
    Config(ConfigCommand),
    /// Checks machine, configuration, data directory and daemon: one line for each, and the line that mends it. Works
    /// while a daemon runs; exit status 1 when a check fails.
    #[command(after_help = "Example:\n  backlinkd --data ./index doctor")]
    Doctor {
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Asks /health of the daemon of the data directory, or of an address; exit status 0 when it is well.
    #[command(
        after_help = "Example:\n  backlinkd --data ./index ping\n  backlinkd ping --listen 127.0.0.1:8080"
    )]
    Ping {
        /// Address and port of the API.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Address of the API as an http URL. Default: where the daemon of the data directory listens.
        #[arg(long, value_name = "URL", conflicts_with = "listen")]
        url: Option<String>,
    },
    /// Opens the page of the daemon of the data directory in the browser.
    #[command(after_help = "Example:\n  backlinkd --data ./index open example.com")]
    Open {
        /// A domain, host or URL whose overview is shown.
        #[arg(value_name = "SITE")]
        site: Option<String>,
        /// Prints the address instead.
        #[arg(long)]
        print: bool,
    },
    /// Tries backlinkd on one site: crawls some of its pages politely, ranks them, and serves the page meanwhile, until
    /// Ctrl-C. Repeated, it continues.
    #[command(after_help = "Example:\n  backlinkd try example.com")]
    Try {
        /// A domain, host or URL to begin with. Only hosts of its registrable domain are crawled.
        #[arg(value_name = "SITE")]
        site: String,
        /// Maximum number of pages to fetch.
        #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
        pages: u64,
        /// Address and port of the API instead of api.listen, or of another port if that one is taken.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Prints the manual page, or the completions of a shell.
    #[command(after_help = "Example:\n  backlinkd generate man > backlinkd.1 && man ./backlinkd.1")]
    Generate {
        /// What to print.
        #[arg(value_name = "FILE")]
        file: GeneratedFile,
    },
}

/// What `generate` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum GeneratedFile {
    /// The manual page: all commands and options.
    Man,
    /// Completions for Bash.
    Bash,
    /// Completions for Zsh.
    Zsh,
    /// Completions for Fish.
    Fish,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Prints every key with its value, as TOML.
    #[command(after_help = "Example:\n  backlinkd --config backlinkd.toml config show --origin fetch")]
    Show {
        /// Adds where each value comes from: default, file and line, variable, or --set.
        #[arg(long)]
        origin: bool,
        /// Keys or sections to print. Default: all.
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Checks a configuration file and the files that it names; exit status 2 when it cannot be used.
    #[command(after_help = "Example:\n  backlinkd config check backlinkd.toml")]
    Check {
        /// The file. Default: the configuration as all commands read it, with --config, environment and --set.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Prints a configuration file with every key, its default and the reason, all commented out.
    #[command(after_help = "Example:\n  backlinkd config default > backlinkd.toml")]
    Default,
}
