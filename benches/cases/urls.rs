//! References to canonical URLs on one core, with the default list of session parameters and without any. The
//! difference is the cost of the list for URLs without a session id, which are nearly all. Goal: no cost for paths, a
//! twentieth for queries.

use std::hint::black_box;

use backlinkd::urls::{Base, SessionParams, UrlRules};
use criterion::{Criterion, Throughput, criterion_group};

/// References of each kind.
const COUNT: usize = 1_000;

/// Generates the reference with this number.
type Make = fn(usize) -> String;

fn bench_urls(criterion: &mut Criterion) {
    let with = UrlRules::default();
    let without = UrlRules { session_params: SessionParams::none(), ..UrlRules::default() };
    let Ok(page) = with.canonical("https://www.site.example/articles/2024/page.html") else { return };
    let Some(base) = with.base(&page) else { return };
    let mut group = criterion.benchmark_group("urls");
    group.throughput(Throughput::Elements(COUNT as u64));
    let kinds: [(&str, Make); 5] = [
        ("paths", |n| match n % 3 {
            0 => format!("../{n}/page-of-some-length.html#part"),
            1 => format!("/section/{n}/"),
            _ => format!("https://www.other{n}.example/path/to/page/{n}"),
        }),
        ("queries", |n| match n % 3 {
            0 => format!("/list?page={n}&sort=name"),
            1 => format!("view.php?id={n}&lang=en&utm_source=newsletter"),
            _ => format!("https://www.other{n}.example/search?q=word+{n}&start=10"),
        }),
        ("encoded paths", |n| format!("/wiki/Caf\u{e9}_{n}_(house)")),
        ("path parameters", |n| format!("/shop/item;v={n}/picture")),
        ("session ids", |n| match n % 3 {
            0 => format!("/home;jsessionid=7F3A9C{n:06}D41D8CD98F00B204.node1?page=2"),
            1 => format!("/view.php?id={n}&PHPSESSID=0123456789abcdef{n:06}"),
            _ => format!("/(S(lit3py55t21z5v55vl{n:06}))/order.aspx"),
        }),
    ];
    for (name, reference) in kinds {
        let references: Vec<String> = (0..COUNT).map(reference).collect();
        for (rules, list) in [(&with, "listed"), (&without, "no list")] {
            group.bench_function(format!("{name}, {list}"), |bencher| {
                bencher.iter(|| resolve(rules, &base, &references));
            });
        }
    }
    group.finish();
}

fn resolve(rules: &UrlRules, base: &Base, references: &[String]) -> usize {
    references.iter().filter(|reference| black_box(rules.resolve(base, reference)).is_ok()).count()
}

criterion_group!(benches, bench_urls);
