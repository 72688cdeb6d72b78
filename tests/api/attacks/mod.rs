//! Slow, numerous, wrong or greedy clients, each next to a well-behaved one: the resources of each are bounded.

mod connections;
mod logins;
mod overload;
mod requests;
mod unread;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use backlinkd::model::VisitRecord;

use super::web::{link, page};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a condition holds.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

/// A connection that has sent these bytes.
pub fn connection(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    connection_from("127.0.0.1", address, bytes)
}

/// A connection from an address of this machine, as all of loopback are. The operating system buffers few unread bytes
/// for it.
fn connection_from(own: &str, address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(own.parse().unwrap(), 0)).unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// All bytes of a connection until it ends.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the other side has closed a connection without unread bytes.
fn is_ended(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = (&mut &*stream).read(&mut [0; 4_096]);
    stream.set_nonblocking(false).unwrap();
    match read {
        Ok(length) => length == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

/// A number of links to example.com, each with long texts.
fn links(number: usize) -> Vec<VisitRecord> {
    let title = "long words ".repeat(20);
    let pages = (0..number).map(|at| {
        let target = format!("http://example.com/{at}/{}", "x".repeat(100));
        let mut record = page(
            &format!("http://s{}.example/{at}", at % 997),
            "192.0.2.1",
            "de",
            vec![link(&target, &title)],
        );
        record.visited += at as u64;
        record
    });
    pages.collect()
}
