//! `maintenance.json` in the data directory: when the ranks were computed, and when the index was verified, for
//! `backlinkd doctor`. It is no part of the index: without it, nothing but these times is missing.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::unix_now;

const MAINTENANCE_FILE: &str = "maintenance.json";

/// Work on the index that has just ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Maintenance {
    Ranked,
    /// Whether no damage is left.
    Verified {
        is_clean: bool,
    },
}

/// The file. Times are Unix seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MaintenanceLog {
    pub ranked: Option<u64>,
    pub verified: Option<u64>,
    /// Whether the verification left no damage.
    pub is_clean: bool,
}

impl MaintenanceLog {
    /// The file of a data directory; empty if there is none, or none that can be read.
    pub(crate) fn read(data: &Path) -> Self {
        let text = std::fs::read(data.join(MAINTENANCE_FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Notes the end of some work. A failure is logged, because the work itself is done.
    pub(crate) fn record(data: &Path, done: Maintenance) {
        let log = Self::read(data);
        let log = match done {
            Maintenance::Ranked => Self { ranked: Some(unix_now()), ..log },
            Maintenance::Verified { is_clean } => Self { verified: Some(unix_now()), is_clean, ..log },
        };
        if let Err(error) = log.write(data) {
            tracing::warn!(%error, "{MAINTENANCE_FILE} cannot be written; doctor will not know of {done:?}");
        }
    }

    fn write(self, data: &Path) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(data)?;
        serde_json::to_writer(&mut file, &self)?;
        file.write_all(b"\n")?;
        file.persist(data.join(MAINTENANCE_FILE))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_kept_and_a_damaged_file_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(MaintenanceLog::read(folder.path()), MaintenanceLog::default());
        MaintenanceLog::record(folder.path(), Maintenance::Ranked);
        MaintenanceLog::record(folder.path(), Maintenance::Verified { is_clean: true });
        let log = MaintenanceLog::read(folder.path());
        assert!(log.ranked.is_some() && log.verified >= log.ranked && log.is_clean, "{log:?}");
        MaintenanceLog::record(folder.path(), Maintenance::Verified { is_clean: false });
        let later = MaintenanceLog::read(folder.path());
        assert_eq!((later.ranked, later.is_clean), (log.ranked, false));
        std::fs::write(folder.path().join(MAINTENANCE_FILE), "{").unwrap();
        assert_eq!(MaintenanceLog::read(folder.path()), MaintenanceLog::default());
    }
}
