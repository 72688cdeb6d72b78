//! `like`: `%` stands for any run of characters, `_` for one; everything else for itself in any case.

/// A pattern, matched against whole texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// Whether the whole text fits. Goes back only to the last `%` met, which is enough, since what an earlier
    /// one could take a later one can take as well.
    pub fn matches(&self, text: &str) -> bool {
        let pattern = &self.0;
        let (mut at, mut rest) = (0, text.chars());
        let mut resume: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if pattern.get(at) == Some(&'%') {
                at += 1;
                resume = Some((at, rest.clone()));
                continue;
            }
            let before = rest.clone();
            match (pattern.get(at), rest.next()) {
                (None, None) => return true,
                (Some(&wanted), Some(c)) if wanted == '_' || same_letter(wanted, c) => at += 1,
                _ => {
                    // What stands where the text ended cannot be met further on.
                    if before.as_str().is_empty() {
                        return false;
                    }
                    let Some((start, from)) = &mut resume else { return false };
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
            assert_eq!(Pattern::new(pattern).matches(text), fits, "{text} like {pattern}");
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
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), naive(&p, &t));
        }
    }
}
