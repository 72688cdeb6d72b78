//! `/newandlost-histogram`: what backlinks and referring domains a scope won and lost, day by day.

use serde::Serialize;

use super::calendar;
use crate::api::parameter::{FROM, INTERNAL, SCOPE, TO, URL};
use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::DayChange;

pub static ENDPOINT: Endpoint = Endpoint::new("newandlost-histogram", &[Verb::Get], Answer::Own(answer))
    .taking(&[URL, SCOPE, INTERNAL, FROM, TO])
    .showing(Reply::Calendar(Shape::Object(&[
        ("date", Shape::DayNumber),
        ("urls", CHANGE),
        ("domains", CHANGE),
    ])));

const CHANGE: Shape = Shape::Object(&[("new", Shape::Count), ("lost", Shape::Count)]);

#[derive(Serialize)]
struct Row {
    date: u32,
    urls: Counts,
    domains: Counts,
}

#[derive(Serialize)]
struct Counts {
    new: u64,
    lost: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    calendar::answer(call, |date, DayChange { new, lost, .. }| {
        Some(Row {
            date,
            urls: Counts { new: new.backlinks, lost: lost.backlinks },
            domains: Counts { new: new.refdoms, lost: lost.refdoms },
        })
    })
}
