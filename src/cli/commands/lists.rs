//! `backlinkd seeds` and `backlinkd block`: prints and changes the lists of an index.
//!
//! `seeds.txt` in the data directory has the format of any seed file. `run` and `crawl` start with it, in addition to the
//! seed file of their arguments. `blocks.txt` names hosts and domains that are not fetched, in addition to the file of
//! `crawl.block_list`.

use anyhow::{Context, bail};

use crate::cli::Outcome;
use crate::cli::args::{BlockCommand, SeedsCommand};
use crate::cli::context::CliContext;
use crate::cli::control;
use crate::cli::lists::{EditResult, ListChange, ListEdit, ListEntry, read_or_empty, rewrite_file};
use crate::policy::{BlockedName, strip_bom};
use crate::private_files::make_private_directory;
use crate::urls::{CanonicalUrl, UrlRules};

/// Prints or changes the list of seeds.
pub(crate) fn edit_seeds(context: &CliContext, command: &SeedsCommand) -> anyhow::Result<Outcome> {
    match command {
        SeedsCommand::Add { urls } => change::<CanonicalUrl>(context, ListChange::Add, urls),
        SeedsCommand::Remove { urls } => change::<CanonicalUrl>(context, ListChange::Remove, urls),
        SeedsCommand::List => print::<CanonicalUrl>(context),
    }
}

/// Prints or changes the list of blocked hosts.
pub(crate) fn edit_blocks(context: &CliContext, command: &BlockCommand) -> anyhow::Result<Outcome> {
    match command {
        BlockCommand::Add { names } => change::<BlockedName>(context, ListChange::Add, names),
        BlockCommand::Remove { names } => change::<BlockedName>(context, ListChange::Remove, names),
        BlockCommand::List => print::<BlockedName>(context),
    }
}

/// Prints a list, one entry per line.
fn print<E: ListEntry>(context: &CliContext) -> anyhow::Result<Outcome> {
    let path = E::path_in(&context.data);
    let text = read_or_empty(&path)
        .with_context(|| format!("{} {} cannot be read", E::DESCRIPTION, path.display()))?;
    let mut outcome = Outcome::Success;
    for (at, line) in text.split(|&b| b == b'\n').enumerate() {
        match E::from_line(strip_bom(line), &context.rules) {
            Ok(Some(entry)) => context.console.print(entry)?,
            Ok(None) => {}
            Err(reason) => {
                outcome = Outcome::Partial;
                context.console.error(format_args!(
                    "{}, line {}: {reason}; the line is skipped",
                    path.display(),
                    at + 1
                ));
            }
        }
    }
    Ok(outcome)
}

/// Adds entries to a list or removes them, and makes a running daemon reload.
fn change<E: ListEntry>(
    context: &CliContext,
    change: ListChange,
    words: &[String],
) -> anyhow::Result<Outcome> {
    let Arguments { entries, bad } = Arguments::<E>::parse(words, change, &context.rules)?;
    if change == ListChange::Add {
        make_private_directory(&context.data)
            .with_context(|| format!("{} cannot be made", context.data.display()))?;
    }
    let bad_lines: Vec<&str> = bad.iter().map(|(text, _)| *text).collect();
    let edit = ListEdit { change, entries: &entries, bad_lines: &bad_lines };
    let result = rewrite_file(&context.data, &edit, &context.rules).with_context(|| {
        format!("{} {} cannot be changed", E::DESCRIPTION, E::path_in(&context.data).display())
    })?;
    print_changes(context, change, &result);
    let is_changed = !(result.changed.is_empty() && result.removed_lines.is_empty());
    let outcome = if is_changed { reload_daemon(context)? } else { Outcome::Success };
    for entry in entries.iter().filter(|entry| !result.changed.contains(entry)) {
        match change {
            ListChange::Add => context.console.info(format_args!("{entry} {}.", E::ALREADY_LISTED)),
            ListChange::Remove => {
                let path = E::path_in(&context.data);
                bail!(
                    "{entry} {} {}; `backlinkd {}` shows them",
                    E::NOT_LISTED,
                    path.display(),
                    E::LIST_COMMAND
                )
            }
        }
    }
    match bad.into_iter().find(|(text, _)| !result.removed_lines.iter().any(|removed| removed == text)) {
        Some((_, error)) => Err(error),
        None => Ok(outcome),
    }
}

/// The arguments of a change.
struct Arguments<'a, E> {
    entries: Vec<E>,
    /// Arguments that do not parse, and the reasons. Such an argument may be the text of a bad line to remove.
    bad: Vec<(&'a str, anyhow::Error)>,
}

impl<'a, E: ListEntry> Arguments<'a, E> {
    fn parse(words: &'a [String], change: ListChange, rules: &UrlRules) -> anyhow::Result<Self> {
        let mut arguments = Self { entries: Vec::new(), bad: Vec::new() };
        for word in words {
            match E::from_argument(word, rules) {
                Ok(entry) => arguments.entries.push(entry),
                Err(error) if change == ListChange::Remove => arguments.bad.push((word.trim(), error)),
                Err(error) => return Err(error),
            }
        }
        Ok(arguments)
    }
}

fn print_changes<E: ListEntry>(context: &CliContext, change: ListChange, result: &EditResult<E>) {
    let done = match change {
        ListChange::Add => "Added",
        ListChange::Remove => "Removed",
    };
    for entry in &result.changed {
        context.console.info(format_args!("{done} {entry}."));
    }
    for text in &result.removed_lines {
        context.console.info(format_args!("{done} the line \"{text}\"."));
    }
}

/// Makes a running daemon reload the lists, and prints its complaints.
fn reload_daemon(context: &CliContext) -> anyhow::Result<Outcome> {
    let Some(complaints) = control::reload(&context.data)? else { return Ok(Outcome::Success) };
    if complaints.is_empty() {
        context.console.info("The daemon that runs there has been told.");
        return Ok(Outcome::Success);
    }
    context.console.error("The daemon that runs there has been told, and complains:");
    complaints.iter().for_each(|complaint| context.console.error(complaint));
    Ok(Outcome::Partial)
}
