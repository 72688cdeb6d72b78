//! A table of the failed requests of a crawl, by resource and kind of failure.

use super::numbers::grouped;
use crate::crawl::FailureCount;

/// The table; empty without failures. Each row has a kind, its count, and examples with their causes.
pub(crate) fn table(counts: &[FailureCount]) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut text = "Requests that failed, by kind".to_owned();
    for FailureCount { resource, kind, count, examples } in counts {
        let name = format!("{} {kind}", resource.as_str());
        text += &format!("\n  {name:<22} {:>11}", grouped(*count));
        for (at, example) in examples.iter().enumerate() {
            let indent = if at == 0 { String::new() } else { format!("\n{:36}", "") };
            text += &format!("{indent}  {}: {}", example.url, example.cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::{FailureExample, Resource};

    #[test]
    fn each_kind_of_failure_is_a_row_with_examples() {
        let example =
            |url: &str, cause: &str| FailureExample { url: url.to_owned(), cause: cause.to_owned() };
        let counts = [
            FailureCount {
                resource: Resource::RobotsTxt,
                kind: "tls".to_owned(),
                count: 1,
                examples: vec![example("https://a.test/robots.txt", "unknown issuer")],
            },
            FailureCount {
                resource: Resource::Page,
                kind: "connect".to_owned(),
                count: 12_345,
                examples: vec![example("http://b.test/", "refused"), example("http://c.test/", "reset")],
            },
        ];
        assert_eq!(
            table(&counts),
            "Requests that failed, by kind\n  \
             robots.txt tls                   1  https://a.test/robots.txt: unknown issuer\n  \
             page connect                12,345  http://b.test/: refused\n                                      \
             http://c.test/: reset"
        );
        assert_eq!(table(&[]), "");
    }
}
