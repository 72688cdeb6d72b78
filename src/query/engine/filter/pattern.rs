//! Patterns of `like`: `%` matches any run of characters, `_` any single one, others themselves in either
//! case. `contains`, `startswith` and `endswith` are patterns without such characters of their own.

use memchr::memmem::Finder;
use rayon::prelude::*;

use super::bitmap::Bitmap;
use crate::query::deadline::StepCounter;
use crate::query::engine::dictionary::TextDictionary;
use crate::query::thread_pool::parallel;
use crate::query::{Deadline, QueryError};

/// Result words, of 64 texts each, that one thread computes at a time.
const WORDS_PER_CHUNK: usize = 128;

/// The longest pattern, in characters, that is searched for in all texts at once. A longer pattern is
/// compared with each text. Most texts are shorter than such a pattern. Where every text begins like the
/// pattern, the search would run on through the following texts each time.
const MAX_SEARCHED_CHARS: usize = 128;

/// A pattern. It is matched against whole texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<PatternPart>);

/// What a part of a pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PatternPart {
    /// Any run of characters.
    Run,
    /// Any character.
    Any,
    /// This character, in either case.
    Letter(char),
}

/// The parts that match this text.
fn letters(text: &str) -> impl Iterator<Item = PatternPart> {
    text.chars().map(PatternPart::Letter)
}

impl Pattern {
    /// A pattern of `like`.
    pub(crate) fn new(text: &str) -> Self {
        let part = |c| match c {
            '%' => PatternPart::Run,
            '_' => PatternPart::Any,
            c => PatternPart::Letter(c),
        };
        Self(text.chars().map(part).collect())
    }

    /// A pattern for texts that contain this text.
    pub(crate) fn contains(text: &str) -> Self {
        let run = [PatternPart::Run];
        Self(run.into_iter().chain(letters(text)).chain(run).collect())
    }

    /// A pattern for texts that start with this text.
    pub(crate) fn starts_with(text: &str) -> Self {
        Self(letters(text).chain([PatternPart::Run]).collect())
    }

    /// A pattern for texts that end with this text.
    pub(crate) fn ends_with(text: &str) -> Self {
        Self([PatternPart::Run].into_iter().chain(letters(text)).collect())
    }

    /// The texts that match (with `negated`, those that do not), found by one search through the bytes of all
    /// texts. `None` if the pattern is long, or is not a plain run of ASCII characters between two `%`.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(crate) fn search(
        &self,
        texts: &TextDictionary,
        negated: bool,
        deadline: &Deadline,
    ) -> Result<Option<Bitmap>, QueryError> {
        let Some(wanted) = self.contained() else { return Ok(None) };
        if wanted.contains('k') && texts.has_kelvin(deadline)? {
            return Ok(None);
        }
        let (finder, folded) = (Finder::new(&wanted), texts.folded(deadline)?.as_bytes());
        let mut fitting = if negated { Bitmap::full(texts.len()) } else { Bitmap::empty(texts.len()) };
        let search = |(piece, words): (usize, &mut [u64])| {
            deadline.check()?;
            let first = piece * WORDS_PER_CHUNK * 64;
            let end = (first + words.len() * 64).min(texts.len());
            let (mut code, mut from) = (first, texts.start(first));
            let stop = texts.ends()[end - 1] as usize;
            while let Some(found) = finder.find(&folded[from..stop]) {
                let at = from + found;
                while texts.ends()[code] as usize <= at {
                    code += 1;
                }
                let next = texts.ends()[code] as usize;
                if at + wanted.len() <= next {
                    words[(code - first) / 64] ^= 1 << (code % 64);
                }
                // A match that ends in another text rules out all later starts in this text.
                from = next;
            }
            Ok::<_, QueryError>(())
        };
        let words = fitting.words_mut();
        if words.len() <= WORDS_PER_CHUNK {
            words.chunks_mut(WORDS_PER_CHUNK).enumerate().try_for_each(search)?;
        } else {
            parallel(|| words.par_chunks_mut(WORDS_PER_CHUNK).enumerate().try_for_each(search))?;
        }
        Ok(Some(fitting))
    }

    /// The text to search for, in lower case, if the pattern only requires that it is contained.
    fn contained(&self) -> Option<String> {
        let [PatternPart::Run, inner @ .., PatternPart::Run] = self.0.as_slice() else { return None };
        let plain = |part: &PatternPart| match part {
            PatternPart::Letter(c) if c.is_ascii() => Some(c.to_ascii_lowercase()),
            _ => None,
        };
        if !(1..=MAX_SEARCHED_CHARS).contains(&inner.len()) {
            return None;
        }
        inner.iter().map(plain).collect()
    }

    /// Whether the whole text matches. Backtracks only to the last `%`: a later `%` can match all that an
    /// earlier one can. Backtracking takes at most text length × pattern length steps between two `%`, so the
    /// steps are counted.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(crate) fn matches(&self, text: &str, steps: &mut StepCounter<'_>) -> Result<bool, QueryError> {
        let pattern = &self.0;
        let (mut at, mut rest) = (0, text.chars());
        let mut resume: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            steps.step()?;
            if pattern.get(at) == Some(&PatternPart::Run) {
                at += 1;
                resume = Some((at, rest.clone()));
                continue;
            }
            let before = rest.clone();
            match (pattern.get(at), rest.next()) {
                (None, None) => return Ok(true),
                (Some(&wanted), Some(c)) if wanted.matches(c) => at += 1,
                _ => {
                    // The text is exhausted: a later start would leave even less text to match.
                    if before.as_str().is_empty() {
                        return Ok(false);
                    }
                    let Some((start, from)) = &mut resume else { return Ok(false) };
                    from.next();
                    at = *start;
                    rest = from.clone();
                }
            }
        }
    }
}

impl PatternPart {
    /// Whether this single character matches.
    fn matches(self, c: char) -> bool {
        match self {
            Self::Run => false,
            Self::Any => true,
            Self::Letter(wanted) => same_letter(wanted, c),
        }
    }
}

fn same_letter(a: char, b: char) -> bool {
    a == b
        || if a.is_ascii() && b.is_ascii() {
            a.eq_ignore_ascii_case(&b)
        } else {
            a.to_lowercase().eq(b.to_lowercase())
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endless() -> Deadline {
        Deadline::after(std::time::Duration::MAX)
    }

    fn matches(pattern: &Pattern, text: &str) -> bool {
        pattern.matches(text, &mut StepCounter::new(&endless())).unwrap()
    }

    #[test]
    fn wildcards_and_letter_case_match() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "abc", true),
            ("_", "", false),
            ("_", "ä", true),
            ("__", "ä", false),
            ("ÄPFEL", "äpfel", true),
            ("%apple%", "An Apple a day", true),
            ("apple", "apples", false),
            ("%s", "apples", true),
            ("a%b%c", "aXbXbYc", true),
            ("a%b%c", "aXbXbY", false),
            ("%aab", "aaaab", true),
            ("_%_", "a", false),
            ("100\\%", "100\\", true),
        ] {
            assert_eq!(matches(&Pattern::new(pattern), text), fits, "{text} like {pattern}");
        }
    }

    /// The definition of a match, written directly.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('%', rest)), _) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            (Some((p, rest)), Some((t, tail))) => (*p == '_' || same_letter(*p, *t)) && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn matches_as_the_definition_does(pattern in "[abA%_é]{0,8}", text in "[abÉ]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&Pattern::new(&pattern), &text), naive(&p, &t));
        }

        /// `%` and `_` are letters here.
        #[test]
        fn held_texts_are_found_as_the_definition_says(
            wanted in "[abA%_é]{0,4}",
            text in "[abÉ%_]{0,8}",
        ) {
            let (lower, whole) = (wanted.to_lowercase(), text.to_lowercase());
            prop_assert_eq!(matches(&Pattern::contains(&wanted), &text), whole.contains(&lower));
            prop_assert_eq!(matches(&Pattern::starts_with(&wanted), &text), whole.starts_with(&lower));
            prop_assert_eq!(matches(&Pattern::ends_with(&wanted), &text), whole.ends_with(&lower));
        }

        #[test]
        fn a_search_finds_the_matching_texts(
            wanted in "[abkK]{1,3}",
            texts in proptest::collection::vec("[abAkK\u{212a}é]{0,6}", 1..200),
            negated in any::<bool>(),
        ) {
            let pattern = Pattern::new(&format!("%{wanted}%"));
            let ends = texts.iter().scan(0, |end, text| { *end += text.len() as u64; Some(*end) }).collect();
            let dictionary = TextDictionary::from_parts(texts.concat(), ends).unwrap();
            if let Some(found) = pattern.search(&dictionary, negated, &endless()).unwrap() {
                for (at, text) in texts.iter().enumerate() {
                    prop_assert_eq!(found.get(at), matches(&pattern, text) != negated, "{}", text);
                }
            } else {
                let has_kelvin = texts.concat().contains('\u{212a}');
                prop_assert!(has_kelvin);
            }
        }
    }
}
