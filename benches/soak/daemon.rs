//! The program under test: the soak starts it, watches it through `/proc`, queries its API, and ends it.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

/// Time that the daemon may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A user of the API.
#[derive(Clone, Copy, Debug)]
pub struct User {
    pub name: &'static str,
    pub password: &'static str,
}

/// The user who sends the queries, if there are users.
pub const ASKER: User = User { name: "alice", password: "correct horse" };

/// A running `backlinkd run`. Killed when dropped.
pub struct Daemon {
    child: Child,
    data: PathBuf,
    api: SocketAddr,
    client: reqwest::Client,
}

/// Resources of the daemon at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    pub resident_kb: u64,
    pub files: usize,
    pub disk_bytes: u64,
    /// CPU time since the start, in seconds.
    pub cpu: f64,
}

impl Daemon {
    /// Starts the daemon in `work` with these keys and these users, and waits until its API responds.
    pub async fn start(
        program: &Path,
        work: &Path,
        settings: &[String],
        users: &[User],
    ) -> anyhow::Result<Self> {
        let (data, log) = (work.join("data"), work.join("daemon.log"));
        let mut command = Command::new(program);
        command.arg("--data").arg(&data);
        for setting in settings {
            command.args(["--set", setting]);
        }
        for user in users {
            add_user(program, &data, *user)?;
        }
        let out = File::create(&log)?;
        let child = command
            .args(["run", "--listen", "127.0.0.1:0", "--seeds"])
            .arg(work.join("seeds.txt"))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let mut daemon = Self { child, data, api: SocketAddr::from(([127, 0, 0, 1], 0)), client };
        let start = Instant::now();
        loop {
            let said = std::fs::read_to_string(&log)?;
            let address = said.split("http://").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
            if let Some(address) = address {
                daemon.api = address;
                return Ok(daemon);
            }
            if daemon.child.try_wait()?.is_some() || start.elapsed() > PATIENCE {
                bail!("the daemon did not start; it said:\n{said}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The address of its API.
    pub fn address(&self) -> SocketAddr {
        self.api
    }

    pub fn size(&self) -> anyhow::Result<Size> {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(process.join("status")).context("the daemon is gone")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        let stat = std::fs::read_to_string(process.join("stat"))?;
        // After the name, which ends with the last parenthesis, user and system time are the 12th and 13th field.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
        Ok(Size {
            resident_kb: resident.and_then(|kb| kb.parse().ok()).context("no VmRSS in /proc")?,
            files: std::fs::read_dir(process.join("fd"))?.count(),
            disk_bytes: bytes_in(&self.data),
            cpu: (ticks(11) + ticks(12)) / 100.0,
        })
    }

    /// The JSON of the response to a GET, which must be 200.
    pub async fn ask(&self, question: &str) -> anyhow::Result<Value> {
        loop {
            let request = self.client.get(format!("http://{}/{question}", self.api));
            let answer = request.basic_auth(ASKER.name, Some(ASKER.password)).send().await?;
            let (status, text) = (answer.status(), answer.text().await?);
            match status.as_u16() {
                200 => return Ok(serde_json::from_str(&text)?),
                503 => tokio::time::sleep(Duration::from_secs(1)).await,
                _ => bail!("{question} was answered with {status}: {text}"),
            }
        }
    }

    /// All rows of an export, page by page.
    pub async fn export(&self, endpoint: &str, scope: &str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut next = String::new();
        loop {
            let mut answer = self.ask(&format!("{endpoint}?url={scope}&limit=1000{next}")).await?;
            if let Value::Array(more) = answer["response"].take() {
                rows.extend(more);
            }
            match answer["next"].as_str() {
                Some(token) => next = format!("&next={token}"),
                None => return Ok(rows),
            }
        }
    }

    /// Ends the daemon by SIGTERM.
    pub async fn stop(&mut self) -> anyhow::Result<(ExitStatus, Duration)> {
        let start = Instant::now();
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, start.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the daemon did not end within {PATIENCE:?} of SIGTERM");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Verifies the index with the program that wrote it; prints its output.
pub fn verify(program: &Path, work: &Path) -> anyhow::Result<bool> {
    let out = Command::new(program).arg("--data").arg(work.join("data")).arg("verify").output()?;
    println!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    Ok(out.status.success())
}

/// The bytes of all files below a folder; files that vanish meanwhile do not count.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_in(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Adds a user to an index that no process has open.
fn add_user(program: &Path, data: &Path, user: User) -> anyhow::Result<()> {
    let mut adding = Command::new(program)
        .arg("--data")
        .arg(data)
        .args(["--quiet", "user", "add", user.name])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = adding.stdin.take().context("no input")?;
    writeln!(input, "{}", user.password)?;
    drop(input);
    if !adding.wait()?.success() {
        bail!("the user {} cannot be added", user.name);
    }
    Ok(())
}
