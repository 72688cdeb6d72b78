//! Malicious hosts and clients: the soak must hold with them as it does without.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use crate::daemon::User;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Response time of the slow hosts: just below the timeout of a crawler.
const SLOW: Duration = Duration::from_secs(19);
const HOSTS: u8 = 200;

/// Starts a domain of hosts that respond slowly; adds them to the crawler's overrides and to its seeds.
pub async fn start_slow_hosts(overrides: &Path, seeds: &Path) -> std::io::Result<()> {
    let (mut names, mut urls) = (std::fs::read_to_string(overrides)?, std::fs::read_to_string(seeds)?);
    for host in 0..HOSTS {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 90, 0, host + 1), 0)).await?;
        let address: SocketAddr = listener.local_addr()?;
        let _ = writeln!(names, "s{host}.slow.test\t{address}\t127.0.0.1:1");
        let _ = writeln!(urls, "http://s{host}.slow.test/");
        tokio::spawn(answer_slowly(listener));
    }
    std::fs::write(overrides, names)?;
    std::fs::write(seeds, urls)
}

async fn answer_slowly(listener: TcpListener) {
    let links: String = (0..50).map(|page| format!("<a href=/{page}>{page}</a>")).collect();
    let length = links.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{links}");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut request = [0; 4_096];
            while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                tokio::time::sleep(SLOW).await;
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Starts clients that attack the API on a port; see `benches/attacks.py`.
pub fn start_clients(port: u16, time: Duration, domain: &str, user: &User) -> std::io::Result<Child> {
    let minutes = (time.as_secs_f64() / 60.0).to_string();
    Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/attacks.py"))
        .args(["--beside", &port.to_string(), "--minutes", &minutes, "--domain", domain])
        .args(["--user", &format!("{}:{}", user.name, user.password)])
        .spawn()
}
