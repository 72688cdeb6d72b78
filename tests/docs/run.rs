//! Runs a page: one shell for all its blocks, so that variables and directories last as they do for a reader.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::page::{Block, Page};
use super::shown;
use crate::cli::process::PATIENCE;
use crate::support::fake_web::FakeWeb;
use crate::support::python::python_with;

/// The address on the pages.
const ON_PAGES: &str = "127.0.0.1:8080";

/// Whether a program can be started with these arguments, and succeeds.
pub fn starts(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A home directory, a free port, and what runs beside the pages.
pub struct Session {
    home: TempDir,
    /// Scripts and outputs, out of the way of the commands.
    work: TempDir,
    pub address: SocketAddr,
    settings: Vec<(&'static str, String)>,
    demo: Option<Demo>,
}

/// A running demo; killed when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Session {
    pub fn new() -> Self {
        let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let settings = vec![("BACKLINKD_API__LISTEN", address.to_string())];
        let (home, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Self { home, work, address, settings, demo: None }
    }

    /// The same, beside a demo that answers.
    pub fn with_demo(mut self) -> Self {
        let mut command = self.command("backlinkd");
        self.demo = Some(Demo(command.arg("demo").stdout(Stdio::null()).spawn().unwrap()));
        let waited = self.command("bash").args(["-c", &self.wait()]).status().unwrap();
        assert!(waited.success(), "the demo does not answer");
        self
    }

    /// The same, where names lead to this web, and its hosts are not spared.
    pub fn with_web(mut self, web: &FakeWeb) -> Self {
        self.settings.extend([
            ("BACKLINKD_FETCH__HOST_OVERRIDES", web.overrides().display().to_string()),
            ("BACKLINKD_FETCH__EXTRA_CA", web.ca().display().to_string()),
            ("BACKLINKD_FETCH__ALLOW_PRIVATE_ADDRESSES", "127.0.0.0/8".to_owned()),
            ("BACKLINKD_CRAWL__DELAY", "0s".to_owned()),
        ]);
        self
    }

    /// A command in the home directory, with the program of this build on its path.
    pub fn command(&self, program: &str) -> Command {
        let own = Path::new(env!("CARGO_BIN_EXE_backlinkd"));
        let path = format!("{}:{}", own.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut command =
            Command::new(if program == "backlinkd" { own.as_os_str() } else { program.as_ref() });
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BACKLINKD_"))
        {
            command.env_remove(name);
        }
        command.env("PATH", path).env("HOME", self.home.path()).env("LC_ALL", "C.UTF-8");
        command.env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("src/python"));
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    /// Shell: waits until the API answers.
    fn wait(&self) -> String {
        let tries = PATIENCE.as_secs() * 10;
        format!(
            "for try in $(seq {tries}); do curl --silent --output /dev/null http://{}/livez && break; sleep 0.1; done\n",
            self.address
        )
    }

    /// Runs all blocks of a page that can run, and compares what they print.
    pub fn run(&self, page: &Page) {
        let mut blocks = Vec::new();
        for block in &page.blocks {
            match self.line_for(block) {
                Ok(line) => blocks.push((block, line)),
                Err(reason) => eprintln!("SKIPPED: src/docs/{}:{}: {reason}", page.name, block.line),
            }
        }
        let script = blocks.iter().map(|(block, line)| self.part(block, line)).collect::<String>();
        let script = format!(
            "set -e\nJOBS=\ntrap 'kill $JOBS 2> /dev/null || true; wait' EXIT\n{script}echo end > {}\n",
            self.file("at").display()
        );
        let ended = self.command("bash").args(["-c", &script]).output().unwrap();
        let at = std::fs::read_to_string(self.file("at")).unwrap_or_default();
        assert!(
            ended.status.success() && at.trim() == "end",
            "src/docs/{}:{}: {}\n{}{}",
            page.name,
            at.trim(),
            String::from_utf8_lossy(&ended.stderr),
            self.printed(&at, "err"),
            self.printed(&at, "out"),
        );
        for (block, _) in blocks {
            if let Some((language, expected)) = &block.shown {
                // A reader sees both streams.
                let streams = ["out", "err"].map(|stream| self.printed(&block.line.to_string(), stream));
                let varies = block.note("varies").is_some();
                let compared =
                    streams.each_ref().map(|text| shown::compare(language, expected, text, varies));
                if let [Err(wrong), Err(_)] = compared {
                    panic!("src/docs/{}:{}: {wrong}\n{}", page.name, block.line, streams.concat());
                }
            }
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn printed(&self, line: &str, stream: &str) -> String {
        std::fs::read_to_string(self.file(&format!("{}.{stream}", line.trim()))).unwrap_or_default()
    }

    /// The shell line for a block, or the reason why it cannot run.
    fn line_for(&self, block: &Block) -> Result<String, String> {
        if let Some(reason) = block.note("skip") {
            return Err(reason.to_owned());
        }
        let text = block.text.replace(ON_PAGES, &self.address.to_string());
        if block.language == "sh" {
            return Ok(text);
        }
        let file = self.file(&format!("{}.{}", block.line, block.language));
        std::fs::write(&file, &text).unwrap();
        let interpreter = interpreter(&block.language, &text)?;
        Ok(format!("{interpreter} '{}'\n", file.display()))
    }

    /// The part of the script for a block: its outputs go to files.
    fn part(&self, block: &Block, line: &str) -> String {
        let is_background = block.note("background").is_some();
        let starts_server = is_background || line.lines().any(|line| line.ends_with(" &"));
        let (out, err) =
            (self.file(&format!("{}.out", block.line)), self.file(&format!("{}.err", block.line)));
        let mut part =
            format!("echo {} > '{}'\n{{\n{}", block.line, self.file("at").display(), line.trim_end());
        part += if is_background { " &\n" } else { "\n" };
        let _ = write!(part, "}} > '{}' 2> '{}'", out.display(), err.display());
        match block.note("input") {
            Some(input) => {
                let _ = writeln!(part, " <<'INPUT'\n{input}\nINPUT");
            }
            None => part += " < /dev/null\n",
        }
        if starts_server {
            part += "JOBS=\"$JOBS $!\"\n";
            part += &self.wait();
        }
        part
    }
}

/// The interpreter of a language in which this text can run, or what is missing.
fn interpreter(language: &str, text: &str) -> Result<String, String> {
    match language {
        "js" if starts("node", &["--version"]) => Ok("node".to_owned()),
        "js" => Err("there is no node".to_owned()),
        "r" if starts("Rscript", &["--version"]) => Ok("Rscript".to_owned()),
        "r" => Err("there is no Rscript".to_owned()),
        "sql" => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docs/run_sql.py");
            Ok(format!(
                "{} -B '{}'",
                python_with(&["duckdb", "duckdb_extension_httpfs"])?.display(),
                script.display()
            ))
        }
        _ => {
            let imports = text.lines().filter_map(|line| {
                let line = line.strip_prefix("import ").or_else(|| line.strip_prefix("from "))?;
                line.split([' ', '.']).next().filter(|module| *module != "backlinkd")
            });
            let imports = imports.chain(text.contains("read_parquet").then_some("pyarrow"));
            let imports = imports.chain(text.contains("to_polars").then_some("polars"));
            let imports = imports.chain(text.contains("from backlinkd").then_some("httpx"));
            Ok(format!("{} -B", python_with(&imports.collect::<Vec<_>>())?.display()))
        }
    }
}
