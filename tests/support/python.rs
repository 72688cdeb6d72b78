//! The Python of the tests that run in it: that of `make python`, or else the machine's own.

use std::path::PathBuf;
use std::process::Command;

/// A Python that has these modules, or why there is none.
pub fn python_with(modules: &[&str]) -> Result<PathBuf, String> {
    let imports = format!("import {}", modules.join(", "));
    let cache = std::env::home_dir().unwrap_or_default().join(".cache/backlinkd/python/bin/python3");
    let mut lack = "Python 3 is absent".to_owned();
    for python in [cache, PathBuf::from("python3")] {
        let Ok(ready) = Command::new(&python).args(["-c", &imports]).output() else { continue };
        if ready.status.success() {
            return Ok(python);
        }
        lack = String::from_utf8_lossy(&ready.stderr).lines().last().unwrap_or_default().to_owned();
    }
    Err(lack)
}
