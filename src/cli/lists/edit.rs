//! Edits the text of a list. Comments, and lines that are not concerned, stay as they are.

use super::{ListChange, ListEntry};
use crate::policy::strip_bom;
use crate::urls::UrlRules;

/// A change to a list.
pub(crate) struct ListEdit<'a, E> {
    pub change: ListChange,
    pub entries: &'a [E],
    /// Texts of bad lines to remove.
    pub bad_lines: &'a [&'a str],
}

/// The effect of an edit.
pub(crate) struct EditResult<E> {
    /// The entries added or removed.
    pub changed: Vec<E>,
    /// The texts of the bad lines that were removed.
    pub removed_lines: Vec<String>,
}

impl<E: ListEntry> ListEdit<'_, E> {
    /// Applies the edit to the text of a list. Returns the new text.
    pub(super) fn apply(&self, text: &[u8], rules: &UrlRules) -> (Vec<u8>, EditResult<E>) {
        let (text, removed_lines) = remove_bad_lines::<E>(text, self.bad_lines, rules);
        let (text, changed) = apply_change(&text, self.change, self.entries, rules);
        (text, EditResult { changed, removed_lines })
    }
}

/// Removes the bad lines with these texts, with or without the comment behind a `#`. Returns the new list, and the
/// texts found.
fn remove_bad_lines<E: ListEntry>(text: &[u8], bad: &[&str], rules: &UrlRules) -> (Vec<u8>, Vec<String>) {
    let (mut edited, mut removed) = (Vec::with_capacity(text.len()), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        let text = String::from_utf8_lossy(strip_bom(line));
        let spellings = [text.trim(), text.split(" #").next().unwrap_or_default().trim()];
        match bad.iter().find(|text| spellings.contains(text)) {
            Some(text) if E::from_line(strip_bom(line), rules).is_err() => removed.push((*text).to_owned()),
            _ => edited.extend_from_slice(line),
        }
    }
    (edited, removed)
}

/// Applies a change to the text of a list. Returns the new text, and the entries added or removed. Other lines stay
/// as they are.
fn apply_change<E: ListEntry>(
    text: &[u8],
    change: ListChange,
    entries: &[E],
    rules: &UrlRules,
) -> (Vec<u8>, Vec<E>) {
    let mut edited = Vec::with_capacity(text.len());
    let (mut known, mut changed) = (Vec::new(), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        match E::from_line(strip_bom(line), rules) {
            Ok(Some(entry)) if change == ListChange::Remove && entries.contains(&entry) => {
                changed.push(entry);
            }
            entry => {
                edited.extend_from_slice(line);
                known.extend(entry.ok().flatten());
            }
        }
    }
    if change == ListChange::Add {
        if !edited.is_empty() && !edited.ends_with(b"\n") {
            edited.push(b'\n');
        }
        for entry in entries {
            if !known.contains(entry) && !changed.contains(entry) {
                edited.extend_from_slice(format!("{entry}\n").as_bytes());
                changed.push(entry.clone());
            }
        }
    }
    (edited, changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::BlockedName;
    use crate::urls::CanonicalUrl;

    fn edit<E: ListEntry>(text: &str, change: ListChange, words: &[&str]) -> (String, Vec<String>) {
        let rules = UrlRules::default();
        let entries: Vec<E> = words.iter().map(|word| E::from_argument(word, &rules).unwrap()).collect();
        let (text, entries) = apply_change(text.as_bytes(), change, &entries, &rules);
        (String::from_utf8(text).unwrap(), entries.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn seeds_are_added_once_and_comments_stay() {
        let edit = edit::<CanonicalUrl>;
        let (text, added) =
            edit("# ours\nexample.com # main", ListChange::Add, &["b.org", "http://example.com", "b.org"]);
        assert_eq!(text, "# ours\nexample.com # main\nhttp://b.org/\n");
        assert_eq!(added, ["http://b.org/"]);
        assert_eq!(edit("", ListChange::Add, &["a.org"]).0, "http://a.org/\n");
    }

    #[test]
    fn seeds_are_removed_in_any_spelling() {
        let edit = edit::<CanonicalUrl>;
        let list = "\u{feff}example.com\r\n# example.com\nhttp://EXAMPLE.com:80/#x\nhttps://example.com/\nftp://bad\n";
        let (text, removed) = edit(list, ListChange::Remove, &["example.com"]);
        assert_eq!(text, "# example.com\nhttps://example.com/\nftp://bad\n");
        assert_eq!(removed, ["http://example.com/", "http://example.com/"]);
        assert_eq!(edit(list, ListChange::Remove, &["b.org"]), (list.to_owned(), vec![]));
    }

    #[test]
    fn blocks_are_hosts_and_domains() {
        let edit = edit::<BlockedName>;
        let (text, added) = edit("A.test # by hand\n", ListChange::Add, &["*.B.test", "a.TEST", "*.a.test"]);
        assert_eq!(text, "A.test # by hand\n*.b.test\n*.a.test\n");
        assert_eq!(added, ["*.b.test", "*.a.test"]);
        assert_eq!(edit(&text, ListChange::Remove, &["a.test"]).0, "*.b.test\n*.a.test\n");
        for word in ["http://a.test", "a.test:80", "a.test/x", "", "#a", "a b", "*"] {
            assert!(BlockedName::from_argument(word, &UrlRules::default()).is_err(), "{word}");
        }
    }
}
