//! `backlinkd demo`: the demo on a small web of its own.

use std::net::SocketAddr;

use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::cli::process::signals::ShutdownSignal;
use crate::demo::DemoOptions;

pub(crate) fn demo(context: &CliContext, listen: Option<SocketAddr>, once: bool) -> anyhow::Result<Outcome> {
    let runtime = runtime()?;
    let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
    let listen = listen.unwrap_or(context.config.api.listen);
    let options = DemoOptions { listen, once, data: None };
    crate::demo::run(&options, &mut std::io::stdout().lock(), stop.flag())?;
    Ok(Outcome::Success)
}
