//! Data directories of earlier versions: they are upgraded, are consistent, and give the answers of the version that
//! wrote them. `tests/data/formats/N` contains a directory of format N and those answers.

use std::path::Path;

use serde_json::Value;

use super::process::{Place, get};

const FORMATS: [u32; 2] = [4, 5];

/// Copies a folder with its contents.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => _ = std::fs::copy(entry.path(), target).unwrap(),
        }
    }
}

/// Whether `new` contains all of `old`; objects may have more keys, and `new` may have more warnings.
fn holds(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => old.iter().all(|(key, value)| {
            new.get(key).is_some_and(|new| match (key.as_str(), new.as_array(), value.as_array()) {
                ("warnings", Some(new), Some(old)) => old.iter().all(|warning| new.contains(warning)),
                _ => holds(new, value),
            })
        }),
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| holds(new, old))
        }
        _ => new == old,
    }
}

#[test]
fn directories_of_earlier_formats_give_their_former_answers() {
    for format in FORMATS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/formats/{format}"));
        let place = Place::new();
        copy(&folder.join("index"), &place.data());
        let refused = place.run(&["--set", "store.upgrade=false", "verify"]).with(1);
        assert!(refused.err.contains(&format!("has format {format}")), "{}", refused.err);
        // Another process may read the directory before it is upgraded.
        place.run(&["stats"]).with(0);
        place.run(&["explain", "http://one.example/"]).with(0);

        let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
        let address = serving.address();
        let answers: Value =
            serde_json::from_slice(&std::fs::read(folder.join("answers.json")).unwrap()).unwrap();
        let answers = answers.as_object().unwrap();
        assert!(answers.len() > 50);
        for (path, expected) in answers {
            let (status, answer) = get(address, path, Some("alice:secret-of-alice"));
            assert_eq!(status, 200, "{path}: {answer}");
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            let answer: Value = serde_json::from_str(body).unwrap();
            assert!(holds(&answer, expected), "{path}:\n{answer}\nshould hold\n{expected}");
        }
        serving.signal("TERM");
        serving.end().with(0);
        let verified = place.run(&["verify"]).with(0);
        assert!(verified.out.contains("Nothing is wrong"), "{} {}", verified.out, verified.err);
        // An upgraded directory opens whatever the key's value is.
        place.run(&["--set", "store.upgrade=false", "verify"]).with(0);
    }
}
