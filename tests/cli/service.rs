//! Messages to the service manager, read from its socket as systemd does (`sd_notify(3)`).

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use super::process::{PATIENCE, Place, get};

/// The socket of a service manager, and the messages that arrived.
struct ServiceManager {
    socket: UnixDatagram,
    messages: Vec<String>,
}

impl ServiceManager {
    fn bind(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Self { socket, messages: Vec::new() }
    }

    /// Waits for a message with such a line, after those that were waited for before.
    fn waits_for(&mut self, line: &str) -> String {
        let (start, mut buffer) = (Instant::now(), [0; 4096]);
        loop {
            assert!(start.elapsed() < PATIENCE, "{line}: {:?}", self.messages);
            let Ok(length) = self.socket.recv(&mut buffer) else { continue };
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            self.messages.push(message.clone());
            if message.lines().any(|found| found.starts_with(line)) {
                return message;
            }
        }
    }

    /// All messages so far that have such a line.
    fn count(&self, line: &str) -> usize {
        self.messages.iter().filter(|message| message.lines().any(|found| found == line)).count()
    }
}

#[test]
fn the_service_manager_learns_the_state_of_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let mut manager = ServiceManager::bind(&path);
    let place = Place::new().env("NOTIFY_SOCKET", path.display().to_string().leak());
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    manager.waits_for("READY=1");
    // The port listens by then.
    assert!(daemon.err().contains("The API answers at"), "{}", daemon.err());
    assert_eq!(get(daemon.address(), "/livez", None).0, 200);
    let status = manager.messages.iter().find(|message| message.starts_with("STATUS=")).cloned();
    let status = status.unwrap_or_else(|| manager.waits_for("STATUS="));
    assert!(status.contains("0 pages, 0 pages/s") && status.contains("waiting for pages"), "{status}");

    daemon.signal("HUP");
    let reloading = manager.waits_for("RELOADING=1");
    let since = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!(since.parse::<u64>().unwrap() > 0, "{reloading}");
    manager.waits_for("READY=1");
    daemon.says("read again");
    assert_eq!((manager.count("READY=1"), manager.count("STOPPING=1")), (2, 0));

    daemon.signal("TERM");
    manager.waits_for("STOPPING=1");
    daemon.end().with(0);
}

#[test]
fn serve_is_ready_once_its_port_listens_and_a_lost_service_manager_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let place = Place::new().env("NOTIFY_SOCKET", path.display().to_string().leak());
    // Nothing listens yet.
    place.run_with(&["-q", "user", "add", "alice"], "secret\n").with(0);
    let mut lost = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    lost.says("look at NOTIFY_SOCKET");
    assert_eq!(get(lost.address(), "/livez", None).0, 200);
    lost.signal("TERM");
    lost.end().with(0);

    let mut manager = ServiceManager::bind(&path);
    let mut server = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    manager.waits_for("READY=1");
    assert_eq!(get(server.address(), "/livez", None).0, 200);
    server.signal("TERM");
    manager.waits_for("STOPPING=1");
    server.end().with(0);
}
