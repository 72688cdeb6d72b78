//! The data directory, its disk, and who uses it.

use std::fs::{File, read_to_string};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::Patient;
use super::examination::Examination;
use crate::cli::control::Unresponsive;
use crate::cli::process::health;
use crate::cli::process::holder::holder;
use crate::cli::terminal::console::with_causes;
use crate::policy::LowDisk;
use crate::store::{PID_FILE, SOCKET_FILE, free_bytes};

/// File systems on which an index is in danger, and why.
const BAD_FILE_SYSTEMS: [(&str, &str); 6] = [
    ("nfs", "a database on a network file system may be damaged, and is slow"),
    ("cifs", "a database on a network file system may be damaged, and is slow"),
    ("smb", "a database on a network file system may be damaged, and is slow"),
    ("overlay", "the index vanishes with the container"),
    ("tmpfs", "the index vanishes when the machine restarts"),
    ("ramfs", "the index vanishes when the machine restarts"),
];

/// Permissions of the group and of others.
const OTHERS: u32 = 0o077;

/// The name of the check of the directory itself.
pub(super) const NAME: &str = "data directory";

pub(super) fn all(patient: &Patient) -> Vec<Examination> {
    vec![directory(patient), disk(patient), file_system(patient), process(patient), port(patient)]
}

fn directory(patient: &Patient) -> Examination {
    let data = patient.data.display();
    let about = match std::fs::metadata(&patient.data) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return absent_directory(patient);
        }
        Err(error) => {
            return Examination::fail(NAME, format!("{data}: {error}"), "use the account that owns it");
        }
        Ok(about) => about,
    };
    let (owner, own) = (about.uid(), geteuid().as_raw());
    if !about.is_dir() {
        return Examination::fail(NAME, format!("{data} is no directory"), "name another one with --data");
    }
    if owner != own {
        let (owner, name) = (account_name(owner), account_name(own));
        let found = format!("{data} belongs to the account {owner}, and this is {name}");
        let change = if own == 0 { String::new() } else { format!(", or as root chown -R {name} {data}") };
        return Examination::fail(
            NAME,
            found,
            format!("run all commands as its owner: sudo -u {owner} backlinkd --data {data} doctor{change}"),
        );
    }
    if let Some(unwritable) = unwritable_directory(&patient.data) {
        return unwritable;
    }
    if about.mode() & OTHERS != 0 {
        let found = format!("{data} is open to other users, and holds password hashes");
        return Examination::warn(NAME, found, format!("chmod -R go= {data}"));
    }
    Examination::ok(NAME, format!("{data}, for its owner alone"))
}

/// A directory that this account may not write to; `None` for any other.
fn unwritable_directory(directory: &Path) -> Option<Examination> {
    let data = directory.display();
    match access(directory, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => None,
        Err(Errno::ROFS) => Some(Examination::fail(
            NAME,
            format!("{data} lies on a file system that is mounted read-only"),
            "mount it for writing, or name another directory with --data",
        )),
        Err(error) => Some(Examination::fail(
            NAME,
            format!("{data} cannot be written to: {error}"),
            format!("chmod u+rwx {data}"),
        )),
    }
}

/// A directory that does not exist: whether this account can make it.
fn absent_directory(patient: &Patient) -> Examination {
    let (data, above) = (patient.data.display(), existing(&patient.data));
    let problem = match access(&above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if above.is_dir() => {
            let how = "`backlinkd crawl` and `backlinkd run` make it; --data names another one";
            return Examination::warn(NAME, format!("{data} does not exist yet"), how);
        }
        Ok(()) => "no directory".to_owned(),
        Err(error) => error.to_string(),
    };
    let name = account_name(geteuid().as_raw());
    Examination::fail(
        NAME,
        format!("{data} does not exist, and cannot be made in {}: {problem}", above.display()),
        format!("as root: install -d -m 700 -o {name} {data}; or name another directory with --data"),
    )
}

/// The name of an account, or else its number.
fn account_name(number: u32) -> String {
    let accounts = read_to_string("/etc/passwd").unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, known) = (fields.next()?, fields.next()?, fields.next()?);
        (known.parse() == Ok(number)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| number.to_string())
}

/// The directory, or the nearest one above it that exists.
fn existing(directory: &Path) -> PathBuf {
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    absolute.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

/// A number of bytes, with its verb.
fn size(bytes: u64) -> String {
    if bytes >> 30 > 0 { format!("{} GB are", bytes >> 30) } else { format!("{} MB are", bytes >> 20) }
}

fn disk(patient: &Patient) -> Examination {
    const NAME: &str = "disk";
    let (config, data) = (&patient.loaded.config.crawl, existing(&patient.data));
    // What the database writes at once.
    let room = patient.loaded.config.store.write_buffer_bytes as u64;
    if let Some(LowDisk { directory, free }) = LowDisk::find(&data, config, free_bytes) {
        let found = format!("{} free at {}: the crawl pauses", size(free), directory.display());
        let least = config.min_free_disk_bytes >> 20;
        let lower = if free < room { "" } else { ", or lower crawl.min_free_disk_bytes" };
        return Examination::fail(NAME, found, format!("free {least} MB{lower}"));
    }
    let free = free_bytes(&data);
    let found = format!("{} free", size(free));
    if free < room {
        return Examination::fail(
            NAME,
            format!("{found} at {}: the next write of the index fails", data.display()),
            format!("free {} MB at least, for store.write_buffer_bytes", room >> 20),
        );
    }
    if free < config.min_free_disk_bytes.saturating_mul(2) {
        return Examination::warn(NAME, found, "make room: the crawl pauses at half of that or less");
    }
    Examination::ok(NAME, found)
}

fn file_system(patient: &Patient) -> Examination {
    const NAME: &str = "file system";
    let mounts = read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let data = existing(&patient.data);
    let data = data.canonicalize().unwrap_or(data);
    let Some(kind) = mounted_kind(&mounts, &data) else {
        return Examination::skipped(NAME, "this system does not name it");
    };
    match BAD_FILE_SYSTEMS.iter().find(|(bad, _)| kind.starts_with(bad)) {
        Some((_, why)) => {
            Examination::warn(NAME, format!("{kind}: {why}"), "put --data on a local disk or a volume")
        }
        None => Examination::ok(NAME, kind),
    }
}

/// The type of the file system that a path lies on, by the lines of `/proc/self/mountinfo` (proc(5)).
fn mounted_kind(mounts: &str, path: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let (mount, rest) = line.split_once(" - ")?;
        // Blanks in a path are written as \040.
        let point = mount.split(' ').nth(4)?.replace("\\040", " ");
        Some((point, rest.split(' ').next()?.to_owned()))
    });
    // Of two at one point, the later covers the earlier.
    let on_path = mounts.filter(|(point, _)| path.starts_with(point));
    on_path.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind)
}

fn process(patient: &Patient) -> Examination {
    const NAME: &str = "process";
    if let Some(server) = &patient.server {
        let what = if server.crawls { "crawls and serves" } else { "serves" };
        let version = if server.version.is_empty() { "an earlier version" } else { &server.version };
        let found = format!("process {}, {version}, {what}", server.pid);
        if server.version != env!("CARGO_PKG_VERSION") {
            return Examination::warn(NAME, found, "start it again to have the version of this command");
        }
        return Examination::ok(NAME, found);
    }
    if let Some(error) = &patient.unanswered {
        return match error.downcast_ref::<Unresponsive>() {
            Some(hung) => Examination::fail(NAME, error.to_string(), end_of(hung)),
            None if is_forbidden(error) => {
                Examination::skipped(NAME, "not known: this account may not ask it")
            }
            None => Examination::fail(NAME, with_causes(error), "look at its log"),
        };
    }
    if let Some(pid) = holder(&patient.data) {
        let found = format!("process {pid} uses the index, and does not answer on {SOCKET_FILE}");
        return Examination::ok(NAME, format!("{found}: a batch, or one that starts or ends"));
    }
    let left = patient.data.join(PID_FILE);
    let is_left = File::open(&left).is_ok_and(|file| file.try_lock_shared().is_ok());
    if is_left {
        let found = format!("none; {PID_FILE} was left by a daemon that was killed");
        return Examination::warn(
            NAME,
            found,
            "start the daemon again: it takes the file over, and nothing stored is lost",
        );
    }
    Examination::ok(NAME, "none uses the index now")
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    let denied = |cause: &io::Error| cause.kind() == ErrorKind::PermissionDenied;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(denied))
}

/// How to end a process that does not answer.
fn end_of(hung: &Unresponsive) -> String {
    match hung.pid {
        Some(pid) => format!(
            "kill -CONT {pid} if it was stopped; else kill {pid}, after a minute kill -KILL {pid}, and start it again: \
             nothing stored is lost"
        ),
        None => "end it, and start it again: nothing stored is lost".to_owned(),
    }
}

/// Whether the address of the API is free, or answers for this index.
fn port(patient: &Patient) -> Examination {
    const NAME: &str = "port";
    let listen = patient.loaded.config.api.listen;
    if let Some(server) = &patient.server {
        let address = health::reachable(server.address.unwrap_or(listen));
        let asked = health::local_url(address)
            .and_then(|server| patient.runtime.block_on(health::ask(&server, Some("localhost"))));
        return match asked {
            Ok(()) => Examination::ok(NAME, format!("{address} answers for this index")),
            Err(error) => Examination::fail(NAME, format!("{error:#}"), "look at the log of the daemon"),
        };
    }
    if patient.unanswered.as_ref().is_some_and(|error| error.is::<Unresponsive>()) {
        return Examination::skipped(
            NAME,
            "not asked: the process that uses the index does not tell its port",
        );
    }
    match TcpListener::bind(listen) {
        Ok(_) => Examination::ok(NAME, format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Examination::fail(
            NAME,
            format!("{listen} is taken by another program"),
            format!(
                "set api.listen to another port, or stop that program: ss -ltnp 'sport = :{}'",
                listen.port()
            ),
        ),
        Err(error) => Examination::fail(
            NAME,
            format!("{listen} cannot be listened on: {error}"),
            mend_of_listening(error.kind()),
        ),
    }
}

fn mend_of_listening(error: ErrorKind) -> &'static str {
    match error {
        ErrorKind::PermissionDenied => {
            "set api.listen to a port from 1024 on, with a proxy before it; or give the service the lower port with \
             AmbientCapabilities=CAP_NET_BIND_SERVICE, CapabilityBoundingSet=CAP_NET_BIND_SERVICE and PrivateUsers=no"
        }
        ErrorKind::AddrNotAvailable => "set api.listen to an address of this machine, such as 127.0.0.1:8080",
        _ => "correct api.listen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_and_latest_mount_decides() {
        let mounts = "22 1 0:20 / / rw,relatime shared:1 - overlay overlay rw\n\
                      23 22 0:21 / /data rw - ext4 /dev/sda rw\n\
                      24 22 0:22 / /data\\040two rw - nfs4 host:/ rw\n\
                      25 22 0:23 / /late rw - ext4 /dev/sdb rw\n\
                      26 22 0:24 / /late rw - tmpfs none rw\n";
        for (path, kind) in [
            ("/home", "overlay"),
            ("/data/index", "ext4"),
            ("/database", "overlay"),
            ("/data two/x", "nfs4"),
            ("/late", "tmpfs"),
        ] {
            assert_eq!(mounted_kind(mounts, Path::new(path)).as_deref(), Some(kind), "{path}");
        }
        assert_eq!(mounted_kind("", Path::new("/")), None);
    }

    #[test]
    fn a_low_port_needs_a_capability_and_accounts_have_names() {
        assert!(mend_of_listening(ErrorKind::PermissionDenied).contains("CAP_NET_BIND_SERVICE"));
        assert_eq!(account_name(0), "root");
        assert_eq!(account_name(4_294_967_290), "4294967290");
    }
}
