//! The Prometheus text exposition format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! A metric is declared once, as a [`Metric`]. Its samples are added by that declaration, so that names, types and help
//! texts cannot differ from the documentation. The crate `prometheus` sorts metrics and labels, and its process collector
//! adds metrics, so it would change the text.

use std::fmt::Write;

/// The value of `Content-Type`.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The declaration of a metric.
#[derive(Debug)]
pub struct Metric {
    /// The name with its unit, and with `_total` for a counter.
    pub name: &'static str,
    pub kind: MetricKind,
    /// The names of the labels.
    pub labels: &'static [&'static str],
    /// The help text, one sentence.
    pub help: &'static str,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// A current value.
    Gauge,
    /// Observations counted by size.
    Histogram,
}

impl MetricKind {
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
        Self { name, kind: MetricKind::Counter, labels, help }
    }

    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: MetricKind::Gauge, labels, help }
    }

    pub const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: MetricKind::Histogram, labels, help }
    }
}

/// Observations counted by size.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    /// Upper bounds in ascending order, each with the number of observations up to it.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all observations.
    pub sum: f64,
    pub count: u64,
}

/// The text, written metric by metric.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    last: &'static str,
}

impl Exposition {
    /// Adds a sample. All samples of a metric must be added in sequence. `values` are those of the declared labels, in
    /// their order.
    pub(super) fn add_sample(
        &mut self,
        metric: &'static Metric,
        values: &[&str],
        number: impl Into<SampleValue>,
    ) {
        self.write_head(metric);
        let labels = labels(metric, values, None);
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{}{labels} {}", metric.name, number.into().0);
    }

    /// Adds a histogram, as [`Self::add_sample`] adds a sample.
    pub(super) fn add_histogram(&mut self, metric: &'static Metric, values: &[&str], histogram: &Histogram) {
        self.write_head(metric);
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

    /// Returns the whole text.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn write_head(&mut self, metric: &'static Metric) {
        if self.last != metric.name {
            self.last = metric.name;
            let Metric { name, kind, help, .. } = metric;
            let _ = writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {}", escaped(help), kind.as_str());
        }
    }
}

/// The number of a sample, formatted.
#[derive(Clone, Debug)]
pub(super) struct SampleValue(String);

impl From<u64> for SampleValue {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<f64> for SampleValue {
    fn from(number: f64) -> Self {
        Self(number.to_string())
    }
}

impl From<bool> for SampleValue {
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
    fn samples_share_one_head_and_text_is_escaped() {
        let mut page = Exposition::default();
        page.add_sample(&PLAIN, &[], 12u64);
        page.add_sample(&LABELLED, &["1", "a\"b\\c\nd"], 0.5);
        page.add_sample(&LABELLED, &["2", ""], true);
        let histogram = Histogram { buckets: vec![(0.005, 1), (1.0, 3)], sum: 7.25, count: 4 };
        page.add_histogram(&SIZES, &["z"], &histogram);
        assert_eq!(
            page.into_text(),
            "# HELP a_bytes Bytes\\nof \\\\ a.\n# TYPE a_bytes gauge\na_bytes 12\n\
             # HELP b_total Bs.\n# TYPE b_total counter\n\
             b_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 0.5\nb_total{x=\"2\",y=\"\"} 1\n\
             # HELP c_seconds Cs.\n# TYPE c_seconds histogram\n\
             c_seconds_bucket{x=\"z\",le=\"0.005\"} 1\nc_seconds_bucket{x=\"z\",le=\"1\"} 3\n\
             c_seconds_bucket{x=\"z\",le=\"+Inf\"} 4\nc_seconds_sum{x=\"z\"} 7.25\nc_seconds_count{x=\"z\"} 4\n"
        );
    }
}
