//! Checks the files and folders that the configuration names, before a crawl needs them.

use std::fmt::Display;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::fs::{Access, access};

use crate::cli::context::runtime;
use crate::cli::process::user_file::check_user_file;
use crate::config::{Config, ConfigError};
use crate::fetch::Fetcher;
use crate::geo::Geo;
use crate::policy::BlockList;

/// Checks the files and folders that the configuration names, as a crawl and a server do at their start.
///
/// # Errors
/// Names the key and the file.
pub(crate) fn check_files(config: &Config) -> anyhow::Result<()> {
    for (key, path) in [
        ("crawl.block_list", &config.crawl.block_list),
        ("fetch.host_overrides", &config.fetch.host_overrides),
        ("fetch.extra_ca", &config.fetch.extra_ca),
        ("urls.public_suffix_list", &config.urls.public_suffix_list),
        ("geo.database", &config.geo.database),
    ] {
        refuse_pipe(key, path)?;
    }
    config.urls.suffixes()?;
    let runtime = runtime()?;
    let _entered = runtime.enter();
    Fetcher::new(&config.fetch).map_err(invalid)?;
    Geo::open(&config.geo).map_err(invalid)?;
    BlockList::read(&config.crawl.block_list).map_err(invalid)?;
    check_folder("crawl.warc_dir", &config.crawl.warc_dir)?;
    check_folder("search.directory", &config.search.directory)?;
    // A pipe can be read once, by the server.
    if !is_pipe(&config.api.user_file) {
        check_user_file(&config.api.user_file)?;
    }
    Ok(())
}

pub(super) fn invalid(message: impl Display) -> ConfigError {
    ConfigError::Invalid { message: message.to_string(), origin: None }
}

/// Whether a read would wait for another process.
pub(crate) fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo() || about.file_type().is_socket())
}

fn refuse_pipe(key: &str, path: &Path) -> Result<(), ConfigError> {
    match is_pipe(path) {
        true => Err(invalid(format_args!("{key} is {}, a pipe; name a file", path.display()))),
        false => Ok(()),
    }
}

/// Checks that a folder can be written to, or be made; an empty path names none.
fn check_folder(key: &str, folder: &Path) -> Result<(), ConfigError> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let refuse = |path: &Path, problem: &dyn Display| {
        let at = if path == folder { String::new() } else { format!(" at {}", path.display()) };
        Err(invalid(format_args!(
            "{key} is {}, which cannot be written to ({problem}{at}); name a folder of the account that runs the crawl",
            folder.display()
        )))
    };
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let Some(nearest) = absolute.ancestors().find(|path| path.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    let nearest = if nearest == absolute { folder } else { nearest };
    if !nearest.is_dir() {
        return refuse(nearest, &"no folder is there");
    }
    match access(nearest, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(()),
        Err(error) => refuse(nearest, &error),
    }
}
