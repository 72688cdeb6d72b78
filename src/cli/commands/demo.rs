//! `backlinkd demo`: the demo on a small web of its own.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context;

use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::cli::process::signals::ShutdownSignal;
use crate::cli::terminal::console::ClosableOutput;
use crate::demo::{DemoOptions, temporary_folder};

pub(crate) fn demo(context: &CliContext, listen: Option<SocketAddr>, once: bool) -> anyhow::Result<Outcome> {
    let runtime = runtime()?;
    let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
    let listen = listen.unwrap_or_else(|| free_address(context, "the demo"));
    let folder = temporary_folder()
        .context("the demo cannot create a temporary folder; set TMPDIR to another place")?;
    stop.remove_at_exit(folder.path());
    let options = DemoOptions { listen, once, data: Some(folder.path().to_owned()) };
    let mut out = ClosableOutput::default();
    match crate::demo::run(&options, &mut out, stop.flag()) {
        // The reader has seen enough (`| head`).
        Err(_) if out.is_closed => Ok(Outcome::Success),
        ended => Ok(ended.map(|_| Outcome::Success)?),
    }
}

/// The configured address, or another port if that one is taken: the first demo on a machine should not fail after a
/// build of many minutes. An address that is given on the command line is used as it is.
pub(super) fn free_address(context: &CliContext, what: &str) -> SocketAddr {
    let configured = context.config.api.listen;
    match TcpListener::bind(configured) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            context.console.info(format_args!(
                "Port {} is taken, so {what} uses another one; --listen chooses one.",
                configured.port()
            ));
            SocketAddr::new(configured.ip(), 0)
        }
        _ => configured,
    }
}
