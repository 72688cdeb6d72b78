//! What several tests share.

pub mod certificates;
pub mod dice;
pub mod fake_web;
pub mod made_web;
pub mod name_server;
pub mod served_web;
pub mod test_web;
pub mod true_links;
pub mod visitor;

use std::path::PathBuf;

use backlinkd::store::StoreError;

/// A file of the shared test data, which lies beside a checkout (`../shared/data`). `None`, said aloud, where
/// it is absent: the test that asked is skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!(
        "SKIPPED: {} is absent; put the shared test data beside the checkout to run this test",
        file.display()
    );
    None
}

/// Lets a walk through the store go on to its end.
pub fn go_on() -> Result<(), StoreError> {
    Ok(())
}
