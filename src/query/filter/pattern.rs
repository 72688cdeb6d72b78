//! `like`: `%` stands for any run of characters, `_` for one; everything else for itself in any case.

use memchr::memmem::Finder;
use rayon::prelude::*;

use super::super::bitmap::Bitmap;
use super::super::deadline::Steps;
use super::super::dictionary::Texts;
use super::super::pool::parallel;
use super::super::{Deadline, QueryError};

/// Words of the answer, of 64 texts each, that one thread works out at a time.
const WORDS_A_PIECE: usize = 128;

/// Characters of a pattern that all texts are searched for at once. A longer one is compared with text after text: most
/// are shorter, and where it begins in every text, the search would go on through the next ones each time.
const LONGEST_SEARCHED: usize = 128;

/// A pattern, matched against whole texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// The texts that fit, or with `negated` those that do not, found by one search through all their bytes. `None`
    /// for a pattern that is no plain run of ASCII characters between two `%`, or a long one.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn search(
        &self,
        texts: &Texts,
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
            let first = piece * WORDS_A_PIECE * 64;
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
                // If it ended in another text, so would all that begin later in this one.
                from = next;
            }
            Ok::<_, QueryError>(())
        };
        let words = fitting.words_mut();
        if words.len() <= WORDS_A_PIECE {
            words.chunks_mut(WORDS_A_PIECE).enumerate().try_for_each(search)?;
        } else {
            parallel(|| words.par_chunks_mut(WORDS_A_PIECE).enumerate().try_for_each(search))?;
        }
        Ok(Some(fitting))
    }

    /// The text that must be contained, in lower case, where the pattern says no more than that.
    fn contained(&self) -> Option<String> {
        let [first, inner @ .., last] = self.0.as_slice() else { return None };
        let plain = |c: &char| c.is_ascii() && *c != '%' && *c != '_';
        let fits = *first == '%'
            && *last == '%'
            && (1..=LONGEST_SEARCHED).contains(&inner.len())
            && inner.iter().all(plain);
        fits.then(|| inner.iter().map(char::to_ascii_lowercase).collect())
    }

    /// Whether the whole text fits. Goes back only to the last `%` met, which is enough, since what an earlier
    /// one could take a later one can take as well. Between two `%` it may go back as often as the text is long, and
    /// each time go on as far as the pattern is, so that it counts its steps.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn matches(&self, text: &str, steps: &mut Steps<'_>) -> Result<bool, QueryError> {
        let pattern = &self.0;
        let (mut at, mut rest) = (0, text.chars());
        let mut resume: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            steps.step()?;
            if pattern.get(at) == Some(&'%') {
                at += 1;
                resume = Some((at, rest.clone()));
                continue;
            }
            let before = rest.clone();
            match (pattern.get(at), rest.next()) {
                (None, None) => return Ok(true),
                (Some(&wanted), Some(c)) if wanted == '_' || same_letter(wanted, c) => at += 1,
                _ => {
                    // What stands where the text ended cannot be met further on.
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
        pattern.matches(text, &mut Steps::of(&endless())).unwrap()
    }

    #[test]
    fn runs_single_characters_and_letters() {
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

    /// The definition, word for word.
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
        fn fits_as_the_definition_does(pattern in "[abA%_é]{0,8}", text in "[abÉ]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&Pattern::new(&pattern), &text), naive(&p, &t));
        }

        #[test]
        fn a_search_finds_what_fits(
            wanted in "[abkK]{1,3}",
            texts in proptest::collection::vec("[abAkK\u{212a}é]{0,6}", 1..200),
            negated in any::<bool>(),
        ) {
            let pattern = Pattern::new(&format!("%{wanted}%"));
            let ends = texts.iter().scan(0, |end, text| { *end += text.len() as u64; Some(*end) }).collect();
            let dictionary = Texts::from_parts(texts.concat(), ends).unwrap();
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
