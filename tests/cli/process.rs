//! Runs the program: to its end, or in parallel to the test. No child outlives its handle.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::fake_web::FakeWeb;

/// Longer than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A temporary folder for one test, with a data directory that does not exist yet.
pub struct Place {
    folder: TempDir,
    /// Arguments that come before every command.
    given: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
    /// The time at which it ended.
    pub at: Instant,
    /// The peak of its resident memory, in bytes; 0 if the system does not report it.
    pub peak: u64,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let given = vec!["--data".to_owned(), folder.path().join("data").display().to_string()];
        Self { folder, given, environment: Vec::new() }
    }

    /// A place that resolves the hosts of this web, without a crawl delay.
    pub fn at(web: &FakeWeb) -> Self {
        let overrides = format!("fetch.host_overrides={}", web.overrides().display());
        Self::new()
            .set(&overrides)
            .set("fetch.allow_private_addresses=127.0.0.0/8")
            .set("crawl.delay=0s")
            .set("crawl.retry_delay=0s")
    }

    /// The same, with an environment variable.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The same, with another data directory.
    #[must_use]
    pub fn over(mut self, data: &Path) -> Self {
        self.given[1] = data.display().to_string();
        self
    }

    #[must_use]
    pub fn set(mut self, set: &str) -> Self {
        self.given.extend(["--set".to_owned(), set.to_owned()]);
        self
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// Runs the program to its end with this standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        self.start_with(arguments, input).end()
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, "")
    }

    fn start_with(&self, arguments: &[&str], input: &str) -> Running {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_backlinkd")), arguments, input)
    }

    /// Starts a command line of the shell in the folder of this place, where `backlinkd` is the program. It gets none of
    /// the arguments of the place, since a shell takes them for parameters of the script.
    pub fn shell(&self, line: &str, input: &str) -> Running {
        let program = Path::new(env!("CARGO_BIN_EXE_backlinkd")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.env("PATH", path).args(["-c", line, "sh"]);
        self.spawn(command, &[], input)
    }

    /// Starts the program with a folder on its own disk of this size, which no other process sees. `None` if the system
    /// does not permit it.
    pub fn start_on_disk(&self, folder: &Path, bytes: u64, arguments: &[&str]) -> Option<Running> {
        let made = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(folder).status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut command = Command::new("unshare");
        let script = r#"mount -t tmpfs -o size="$1" none "$0" && shift && exec "$@""#;
        command.args(["-rm", "sh", "-c", script]).arg(folder).arg(bytes.to_string());
        command.arg(env!("CARGO_BIN_EXE_backlinkd"));
        Some(self.spawn(command, arguments, ""))
    }

    /// Like [`Self::start_on_disk`], with a data directory, which is verified after the end, because the disk then
    /// vanishes.
    pub fn start_on_disk_and_verify(&self, data: &Path, bytes: u64, arguments: &[&str]) -> Option<Running> {
        let made = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(data).status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut command = Command::new("unshare");
        let script = r#"mount -t tmpfs -o size="$1" none "$0" && shift && trap 'kill -TERM $run' TERM
            "$@" & run=$!; wait $run; code=$?; while kill -0 $run 2>&-; do wait $run; code=$?; done
            rm -f "$0/filler"; "$1" --data "$0" verify; exit $code"#;
        command.args(["-rm", "sh", "-c", script]).arg(data).arg(bytes.to_string());
        command.arg(env!("CARGO_BIN_EXE_backlinkd"));
        Some(self.spawn(command, arguments, ""))
    }

    /// Starts the program with a limit of open files.
    pub fn start_with_open_files(&self, most: u64, arguments: &[&str]) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", r#"ulimit -n "$0" && exec "$@""#, &most.to_string()]);
        command.arg(env!("CARGO_BIN_EXE_backlinkd"));
        self.spawn(command, arguments, "")
    }

    fn spawn(&self, mut command: Command, arguments: &[&str], input: &str) -> Running {
        let (out, err) = (self.sink(), self.sink());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BACKLINKD_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .envs(self.environment.iter().copied())
            .args(&self.given)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        // A program that does not read its input may have ended before it is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Running { child, out, err, start: Instant::now() }
    }

    fn sink(&self) -> PathBuf {
        tempfile::NamedTempFile::new_in(self.folder.path()).unwrap().into_temp_path().keep().unwrap()
    }
}

/// A running program; killed when dropped.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    start: Instant,
}

impl Running {
    pub fn out(&self) -> String {
        read(&self.out)
    }

    pub fn err(&self) -> String {
        read(&self.err)
    }

    /// Waits until standard output or standard error contains this.
    pub fn says(&mut self, text: &str) {
        self.waits_for(text, |running| running.err().contains(text) || running.out().contains(text));
    }

    pub fn waits_for(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{what}: ended with {ended:?}\n{}\n{}", self.out(), self.err());
            assert!(start.elapsed() < PATIENCE, "{what}:\n{}\n{}", self.out(), self.err());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address at which it says that it serves.
    pub fn address(&mut self) -> SocketAddr {
        self.says("The API answers at http://");
        let err = self.err();
        let (_, rest) = err.split_once("http://").unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Resizes the disk of a folder; see [`Place::start_on_disk`].
    pub fn resize_disk(&self, folder: &Path, bytes: u64) {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.id().to_string(), "-U", "-m", "--preserve-credentials"]);
        let size = format!("remount,size={bytes}");
        assert!(command.args(["mount", "-o", &size]).arg(folder).status().unwrap().success());
    }

    /// A folder as the process sees it.
    pub fn sees(&self, folder: &Path) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.id())).join(folder.strip_prefix("/").unwrap())
    }

    /// The peak of the resident memory so far, in bytes; 0 if the system does not report it.
    fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let row = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = row.and_then(|row| row.split_whitespace().next()?.parse::<u64>().ok());
        kib.map_or(0, |kib| kib << 10)
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let mut peak = 0;
        loop {
            peak = self.peak_memory().max(peak);
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ended {
                    status: status.code(),
                    out: self.out(),
                    err: self.err(),
                    took: self.start.elapsed(),
                    at: Instant::now(),
                    peak,
                };
            }
            assert!(self.start.elapsed() < PATIENCE, "no end:\n{}\n{}", self.out(), self.err());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts the exit status; shows the whole output if it differs.
    #[track_caller]
    pub fn with(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.err);
        self
    }

    /// The number in the row of this name.
    #[track_caller]
    pub fn row(&self, name: &str) -> u64 {
        let row = self
            .out
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(name).filter(|rest| rest.starts_with("  ")));
        let row = row.unwrap_or_else(|| panic!("no row \"{name}\" in\n{}", self.out));
        row.split_whitespace().next().unwrap().replace(',', "").parse().unwrap()
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// The status and the whole text of a response.
pub fn get(address: SocketAddr, path: &str, credentials: Option<&str>) -> (u16, String) {
    use data_encoding::BASE64;
    let credentials = credentials
        .map_or(String::new(), |pair| format!("Authorization: Basic {}\r\n", BASE64.encode(pair.as_bytes())));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{credentials}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}
