//! `/history`, compared with the stored visits and with calendars computed day by day.

use backlinkd::api::AuthPolicy;
use backlinkd::config::ApiConfig;
use backlinkd::model::Day;
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};
use time::{Date, Duration, Month};

use super::oracle::history::History;
use super::server::Server;
use super::web::{DAY, LEAP_DAY, random, random_without_repeats};

fn date(number: u32) -> Date {
    let month = Month::try_from(u8::try_from(number / 100 % 100).unwrap()).unwrap();
    let day = u8::try_from(number % 100).unwrap();
    Date::from_calendar_date(i32::try_from(number / 10_000).unwrap(), month, day).unwrap()
}

fn number(date: Date) -> u32 {
    u32::try_from(date.year()).unwrap() * 10_000
        + u32::from(u8::from(date.month())) * 100
        + u32::from(date.day())
}

/// The steps with a day in the range: the first and the last day of each.
fn steps(from: u32, to: u32, step: &str) -> Vec<(u32, u32)> {
    let key = |date: Date| match step {
        "day" => (date.year(), u32::from(date.ordinal())),
        "week" => (date.to_iso_week_date().0, u32::from(date.iso_week())),
        _ => (date.year(), u32::from(u8::from(date.month()))),
    };
    let (first, last) = (date(from) - Duration::days(40), date(to) + Duration::days(40));
    let days: Vec<Date> =
        (0..=(last - first).whole_days()).map(|days| first + Duration::days(days)).collect();
    days.chunk_by(|a, b| key(*a) == key(*b))
        .map(|days| (number(days[0]), number(*days.last().unwrap())))
        .filter(|(first, last)| *first <= to && *last >= from)
        .collect()
}

#[test]
fn every_step_has_the_figures_computed_from_the_visits() {
    let suffixes = Suffixes::built_in().unwrap();
    for seed in 41..=43 {
        let records = random_without_repeats(seed, 600);
        let history = History::of(&records, &suffixes);
        let server = Server::start(&records);
        for (scope, host) in [("example.com", None), ("www.example.com", Some("www.example.com"))] {
            let holds = |target: &str| match host {
                Some(host) => target == host,
                None => suffixes.domain_of(target) == scope,
            };
            let changes = history.rows(holds).1;
            let day = |row: &Value| u32::try_from(row["date"].as_u64().unwrap()).unwrap();
            let (first, last) = (day(&changes[0]), day(changes.last().unwrap()));
            let middle = day(&changes[changes.len() / 2]);
            for step in ["day", "week", "month"] {
                for (from, to) in [(first, last), (middle, last), (middle, middle), (20_231_215, 20_260_301)]
                {
                    let answer =
                        server.client.json(&format!("/history?url={scope}&from={from}&to={to}&step={step}"));
                    let expected = history.steps(holds, &steps(from, to, step));
                    assert_eq!(answer["history"], json!(expected), "{scope} {from} {to} {step}");
                    assert_eq!((&answer["step"], &answer["exportFinished"]), (&json!(step), &json!(true)));
                }
            }
            // Without from, the first change begins the range.
            let all = server.client.json(&format!("/history?url={scope}&to={last}"));
            assert_eq!(all["history"], json!(history.steps(holds, &steps(first, last, "day"))), "{scope}");
        }
    }
}

#[test]
fn a_range_ends_today_and_has_a_bound() {
    let config = ApiConfig { max_history_rows: 10, ..ApiConfig::default() };
    let server = Server::start_with(&random(44, 60), config, AuthPolicy::Open);
    let rows = |query: &str| {
        let answer = server.client.json(&format!("/history?url=example.com&{query}"));
        answer["history"].as_array().unwrap().len()
    };
    assert_eq!(rows("from=20240301&to=20240310"), 10);
    assert_eq!(rows("from=20240301&to=20241231&step=month"), 10);
    for (query, message) in [
        ("from=20240301&to=20240311", "use step=week or step=month"),
        ("from=20240301&to=20250301&step=week", "use step=month"),
        ("from=20240301&to=20250101&step=month", "give a later from"),
        ("from=20240302&to=20240301", "from is 20240302, which is after 20240301"),
        ("from=2024&to=20240301", "from is \"2024\""),
        ("step=year", "step is \"year\"; it must be day or week or month"),
    ] {
        let reply = server.client.get(&format!("/history?url=example.com&{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json()["error"].as_str().unwrap().contains(message), "{query}: {}", reply.json());
    }
    let server = Server::start_with_clock(&random(44, 60), || Day::from_unix_seconds(LEAP_DAY + 400 * DAY));
    let answer = server.client.json("/history?url=example.com&from=20250401");
    let last = answer["history"].as_array().unwrap().last().unwrap()["date"].clone();
    assert_eq!(last, Day::from_unix_seconds(LEAP_DAY + 400 * DAY).as_number());
    // An unknown scope has one empty row, and says why.
    let empty = server.client.json("/history?url=unknown.example");
    assert_eq!(empty["history"].as_array().unwrap().len(), 1);
    assert_eq!(empty["history"][0]["backlinks"], 0);
    assert_eq!(empty["warnings"].as_array().unwrap().len(), 1);
}
