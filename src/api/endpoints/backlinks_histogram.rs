//! `/backlinks-histogram`: the backlinks of a scope by the day on which they were first seen.

use serde::Serialize;

use super::calendar;
use crate::api::parameter::{FROM, INTERNAL, SCOPE, TO, URL};
use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("backlinks-histogram", &[Verb::Get], Answer::Own(answer))
    .taking(&[URL, SCOPE, INTERNAL, FROM, TO])
    .showing(Reply::Calendar(Shape::Object(&[
        ("date", Shape::DayNumber),
        ("urls", Shape::Count),
        ("domains", Shape::Count),
        ("totalUrls", Shape::Count),
        ("totalDomains", Shape::Count),
    ])));

/// `urls` and `domains` are links first seen on the day, lost again or not; the totals are what is active at its end.
#[derive(Serialize)]
struct Row {
    date: u32,
    urls: u64,
    domains: u64,
    #[serde(rename = "totalUrls")]
    total_urls: u64,
    #[serde(rename = "totalDomains")]
    total_domains: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    calendar::answer(call, |date, change| {
        let (seen, active) = (change.first_seen, change.active);
        (seen.backlinks > 0).then_some(Row {
            date,
            urls: seen.backlinks,
            domains: seen.refdoms,
            total_urls: active.backlinks,
            total_domains: active.refdoms,
        })
    })
}
