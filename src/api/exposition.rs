//! Metrics as text: the exposition format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! A metric is declared once, as a [`Metric`]; its samples are put in by that declaration, so that names, kinds and
//! help cannot differ from what is documented.

use std::fmt::Write;

/// What `Content-Type` says of such a text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The declaration of a metric.
#[derive(Debug)]
pub struct Metric {
    /// With its unit, and `_total` when it only grows.
    pub name: &'static str,
    pub kind: Kind,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

/// What a metric's numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Of the moment.
    Gauge,
    /// Counted by size.
    Histogram,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Metric {
    pub const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, labels, help }
    }

    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, labels, help }
    }

    pub const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, labels, help }
    }
}

/// Observations counted by size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Upper bound, and observations up to it; cumulated, bounds rising.
    pub buckets: Vec<(f64, u64)>,
    /// Of all observations.
    pub sum: f64,
    pub count: u64,
}

/// The text, metric by metric.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    last: &'static str,
}

impl Exposition {
    /// Puts one sample in. All samples of a metric come one after the other. Values are those of the labels that the
    /// metric declares, in their order.
    pub fn put(&mut self, metric: &'static Metric, values: &[&str], number: impl Into<Number>) {
        self.head(metric);
        let labels = labels(metric, values, None);
        // A string takes anything.
        let _ = writeln!(self.text, "{}{labels} {}", metric.name, number.into().0);
    }

    /// Puts one histogram in, likewise.
    pub fn put_histogram(&mut self, metric: &'static Metric, values: &[&str], histogram: &Histogram) {
        self.head(metric);
        let name = metric.name;
        let Histogram { buckets, sum, count } = histogram;
        for (bound, count) in buckets {
            let labels = labels(metric, values, Some(&bound.to_string()));
            let _ = writeln!(self.text, "{name}_bucket{labels} {count}");
        }
        let _ = writeln!(self.text, "{name}_bucket{} {count}", labels(metric, values, Some("+Inf")));
        let labels = labels(metric, values, None);
        let _ = writeln!(self.text, "{name}_sum{labels} {sum}\n{name}_count{labels} {count}");
    }

    /// The whole.
    pub fn finish(self) -> String {
        self.text
    }

    fn head(&mut self, metric: &'static Metric) {
        if self.last != metric.name {
            self.last = metric.name;
            let Metric { name, kind, help, .. } = metric;
            let _ = writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {}", escaped(help), kind.as_str());
        }
    }
}

/// A sample's number, as it is written.
#[derive(Clone, Debug)]
pub struct Number(String);

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(number.to_string())
    }
}

impl From<bool> for Number {
    fn from(yes: bool) -> Self {
        Self(u8::from(yes).to_string())
    }
}

fn labels(metric: &Metric, values: &[&str], bound: Option<&str>) -> String {
    let named = metric.labels.iter().copied().zip(values.iter().copied());
    let pairs: Vec<String> = named
        .chain(bound.map(|bound| ("le", bound)))
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value).replace('"', "\\\"")))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    static PLAIN: Metric = Metric::gauge("a_bytes", &[], "Bytes\nof \\ a.");
    static LABELLED: Metric = Metric::counter("b_total", &["x", "y"], "Bs.");
    static SIZES: Metric = Metric::histogram("c_seconds", &["x"], "Cs.");

    #[test]
    fn samples_stand_under_one_head_and_texts_are_escaped() {
        let mut page = Exposition::default();
        page.put(&PLAIN, &[], 12u64);
        page.put(&LABELLED, &["1", "a\"b\\c\nd"], 0.5);
        page.put(&LABELLED, &["2", ""], true);
        let histogram = Histogram { buckets: vec![(0.005, 1), (1.0, 3)], sum: 7.25, count: 4 };
        page.put_histogram(&SIZES, &["z"], &histogram);
        assert_eq!(
            page.finish(),
            "# HELP a_bytes Bytes\\nof \\\\ a.\n# TYPE a_bytes gauge\na_bytes 12\n\
             # HELP b_total Bs.\n# TYPE b_total counter\n\
             b_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 0.5\nb_total{x=\"2\",y=\"\"} 1\n\
             # HELP c_seconds Cs.\n# TYPE c_seconds histogram\n\
             c_seconds_bucket{x=\"z\",le=\"0.005\"} 1\nc_seconds_bucket{x=\"z\",le=\"1\"} 3\n\
             c_seconds_bucket{x=\"z\",le=\"+Inf\"} 4\nc_seconds_sum{x=\"z\"} 7.25\nc_seconds_count{x=\"z\"} 4\n"
        );
    }
}
