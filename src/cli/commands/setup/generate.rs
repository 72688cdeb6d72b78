//! `backlinkd generate`: the manual page and the completions of shells. Both follow from the declaration of the command
//! line, so that they are never out of date. Packages contain them.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Outcome;
use crate::cli::args::Args;
use crate::cli::setup_args::GeneratedFile;
use crate::cli::terminal::console::Console;

const PROGRAM: &str = "backlinkd";

/// The sections of the manual page that the declaration of the command line does not have, as roff.
const FURTHER_SECTIONS: &str = r#".SH ENVIRONMENT
.TP
\fBBACKLINKD_CONFIG\fR, \fBBACKLINKD_DATA\fR
The same as \fB\-\-config\fR and \fB\-\-data\fR.
.TP
\fBBACKLINKD_\fISECTION\fB__\fIKEY\fR
Sets one key of the configuration, such as \fBBACKLINKD_API__LISTEN\fR. It overrides the file; \fB\-\-set\fR overrides it.
.TP
\fBBACKLINKD_TOKEN\fR
The same as \fB\-\-token\fR of \fBmcp\fR, which other users of the machine cannot read there.
.TP
\fBBACKLINKD_LOG\fR
Filter of the log, such as \fBbacklinkd=debug\fR.
.SH FILES
.TP
\fI/etc/backlinkd/config.toml\fR
Configuration of the service of the package: each key with its default, unit and reason.
.TP
\fI/etc/backlinkd/users\fR
Users of that service, one \fIname\fB:\fIpassword\fR a line, if the file exists.
.TP
\fI/var/lib/backlinkd\fR
Index of that service. Its commands run as its user: \fBsudo \-u backlinkd backlinkd \-\-data /var/lib/backlinkd stats\fR.
.SH EXIT STATUS
.TP
\fB0\fR
Everything succeeded.
.TP
\fB1\fR
Something failed; a bad seed line counts.
.TP
\fB2\fR
The command line or the configuration is wrong.
.SH SEE ALSO
\fBsystemctl\fR(1), \fBjournalctl\fR(1), \fIhttps://www.rfc-editor.org/rfc/rfc9309\fR (robots.txt).
.PP
The page of a running server has the whole documentation, at \fI/?view=help\fR.
"#;

/// The values of the argument of `generate`, for Fish.
const FISH_FILES: &str =
    "complete -c backlinkd -n \"__fish_backlinkd_using_subcommand generate\" -f -a \"man bash zsh fish\"\n";

/// Prints the file. Needs no index.
pub(super) fn generate(console: &Console, file: GeneratedFile) -> anyhow::Result<Outcome> {
    let mut text = Vec::new();
    match file {
        GeneratedFile::Man => write_manual_page(&mut text)?,
        GeneratedFile::Bash => write_completions(Shell::Bash, &mut text),
        GeneratedFile::Zsh => write_completions(Shell::Zsh, &mut text),
        GeneratedFile::Fish => write_completions(Shell::Fish, &mut text),
    }
    console.print(String::from_utf8_lossy(&text).trim_end())?;
    Ok(Outcome::Success)
}

fn write_completions(shell: Shell, out: &mut Vec<u8>) {
    clap_complete::generate(shell, &mut Args::command(), PROGRAM, out);
    if shell == Shell::Fish {
        // Its generator leaves the values of positional arguments out.
        out.extend_from_slice(FISH_FILES.as_bytes());
    }
}

/// Writes one page for all commands, so that a search in it finds each of them.
fn write_manual_page(out: &mut impl Write) -> io::Result<()> {
    let mut program = Args::command();
    program.build();
    let page = Man::new(program.clone()).manual("User Commands");
    page.render_title(out)?;
    page.render_name_section(out)?;
    writeln!(out, ".SH SYNOPSIS")?;
    write_usage(&program, out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    out.write_all(b".SH COMMANDS\n")?;
    write_commands(&program, out)?;
    out.write_all(FURTHER_SECTIONS.as_bytes())
}

/// Writes a subsection for each command without subcommands.
fn write_commands(parent: &Command, out: &mut impl Write) -> io::Result<()> {
    let commands = parent.get_subcommands().filter(|command| command.get_name() != "help");
    for command in commands.filter(|command| !command.is_hide_set()) {
        if command.has_subcommands() {
            write_commands(command, out)?;
        } else {
            write_command(command.clone(), out)?;
        }
    }
    Ok(())
}

/// Writes the subsection of a command. The options of all commands are in the section before.
fn write_command(command: Command, out: &mut impl Write) -> io::Result<()> {
    let is_of_all = |arg: &clap::Arg| arg.is_global_set() || arg.get_id() == "help";
    let command = command.mut_args(|arg| if is_of_all(&arg) { arg.hide(true) } else { arg });
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    writeln!(out, ".SS {name}")?;
    write_usage(&command, out)?;
    writeln!(out, ".PP")?;
    let page = Man::new(command);
    write_content(out, |text| page.render_description_section(text))?;
    write_content(out, |text| page.render_options_section(text))?;
    writeln!(out, ".PP")?;
    write_content(out, |text| page.render_extra_section(text))
}

/// Writes how to call a command, as its help does. The synopsis of `clap_mangen` leaves the values of options out.
fn write_usage(command: &Command, out: &mut impl Write) -> io::Result<()> {
    let usage = command.clone().render_usage().to_string();
    let lines: Vec<String> =
        usage.trim_start_matches("Usage:").lines().map(|line| line.trim().replace('-', "\\-")).collect();
    writeln!(out, "{}", lines.join("\n.br\n"))
}

/// Writes a section without its heading.
fn write_content(
    out: &mut impl Write,
    render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut text = Vec::new();
    render(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().skip_while(|line| !line.starts_with(".SH ")).skip(1);
    lines.into_iter().try_for_each(|line| writeln!(out, "{line}"))
}
