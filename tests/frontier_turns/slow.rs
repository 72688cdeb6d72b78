//! Slow hosts and slow names: the other hosts get their turns meanwhile, and so do the slow ones.

use std::time::Duration;

use backlinkd::frontier::FrontierRules;

use super::hosts::Host;
use super::world::World;
use super::{Settings, queue_all, settings};
use crate::support::dice::Dice;

const SLOW: Duration = Duration::from_secs(19);
const QUICK: Duration = Duration::from_millis(10);
const GOOD_PAGES: usize = 600;

/// This number of slow hosts, placed by `place`.
fn slow(count: usize, pages: usize, place: impl Fn(usize, &mut Host)) -> Vec<Host> {
    let host = |number: usize| {
        let mut host = Host { pages, takes: Some(SLOW), name_takes: Some(QUICK), ..Host::default() };
        place(number, &mut host);
        host
    };
    (0..count).map(host).collect()
}

/// All of one domain, each with an address in its own network.
fn of_one_domain(number: usize, host: &mut Host) {
    host.name = format!("h{number}.d.test");
    (host.network, host.addresses) = (number as u8, vec![(number / 256) as u8]);
}

/// Each of its own domain, all in one network.
fn in_one_network(number: usize, host: &mut Host) {
    host.name = format!("h{number}.d{number}.test");
    (host.network, host.addresses) = (2, vec![number as u8]);
}

/// Each of its own domain and in its own network.
fn apart(number: usize, host: &mut Host) {
    of_one_domain(number, host);
    host.name = format!("h{number}.d{number}.test");
}

/// The time for a fast host's pages next to these, and the world afterwards. The fast host is discovered first, or
/// last.
fn beside(mut hosts: Vec<Host>, is_first: bool) -> (Duration, World) {
    let good = if is_first { 0 } else { hosts.len() };
    let host = Host {
        name: "a.good.test".to_owned(),
        addresses: vec![255],
        network: 255,
        pages: GOOD_PAGES,
        takes: Some(QUICK),
        name_takes: Some(QUICK),
        ..Host::default()
    };
    hosts.insert(good, host);
    let rules = FrontierRules { lane_buffer: 50, ..settings().rules };
    let delay = Duration::from_millis(100);
    let mut world = World::new(hosts, Settings { rules, delay, slowest_commit: 0, ..settings() }, Dice(1));
    queue_all(&mut world);
    world.run();
    (world.last_page[&good], world)
}

#[test]
fn slow_hosts_do_not_block_others() {
    let (alone, _) = beside(Vec::new(), true);
    let places = [of_one_domain as fn(usize, &mut Host), in_one_network, apart];
    for (place, is_first) in places.into_iter().flat_map(|place| [(place, true), (place, false)]) {
        let (took, world) = beside(slow(250, 3, place), is_first);
        let what = format!("beside {}, first: {is_first}", world.hosts[100].name);
        eprintln!("{what}: {took:?}, {alone:?} alone, {} turns at once", world.most_turns);
        // The last host waits until the slow ones are detected, some each second.
        let wait = if is_first { 2 } else { 80 };
        assert!(took < alone + Duration::from_secs(wait), "{what}: {took:?}, {alone:?} alone");
        // The slow hosts had their turns as well.
        assert_eq!(world.fetched.len(), GOOD_PAGES + 3 * 250, "{what}");
    }
}

/// A host that was slow once does not stay slow for ever.
#[test]
fn fast_hosts_of_one_domain_can_use_all_places() {
    let mut hosts = slow(60, 10, of_one_domain);
    hosts.iter_mut().for_each(|host| host.takes = Some(Duration::from_millis(300)));
    let rules = FrontierRules { fetchers: 32, ..settings().rules };
    let mut world = World::new(hosts, Settings { rules, delay: Duration::ZERO, ..settings() }, Dice(2));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.most_turns, 32);
    // 660 fetches, 32 at once.
    assert!(world.elapsed < Duration::from_millis(300 * 660 / 32 + 1_500), "{:?}", world.elapsed);
}

#[test]
fn slow_hosts_of_one_domain_are_finally_fetched_one_at_a_time() {
    let mut world = World::new(
        slow(40, 2, of_one_domain),
        Settings { delay: Duration::ZERO, slowest_commit: 0, ..settings() },
        Dice(3),
    );
    queue_all(&mut world);
    world.run();
    assert!(world.most_turns <= 8, "{}", world.most_turns);
    assert_eq!(world.fetched.len(), 80);
    // 120 fetches, nearly all of them one after the other.
    assert!(world.elapsed > SLOW * 100, "{:?}", world.elapsed);
}

#[test]
fn slow_names_do_not_block_the_resolution_of_others() {
    for (what, place) in [("of one domain", of_one_domain as fn(usize, &mut Host)), ("of all domains", apart)]
    {
        let mut hosts = slow(200, 1, place);
        hosts.iter_mut().for_each(|host| (host.takes, host.name_takes) = (Some(QUICK), Some(SLOW)));
        let others = 200..220;
        hosts.extend(slow(others.len(), 1, |number, host| apart(number + others.start, host)));
        hosts[others.clone()].iter_mut().for_each(|host| host.takes = Some(QUICK));
        let mut world = World::new(hosts, Settings { slowest_commit: 0, ..settings() }, Dice(4));
        queue_all(&mut world);
        world.run();
        let last = others.clone().map(|host| world.last_page[&host]).max().unwrap();
        eprintln!("{what}: {last:?}, all in {:?}", world.elapsed);
        // If a resolver waited for each, the other hosts would be resolved after 200 / 8 times 19 seconds.
        assert!(last < Duration::from_secs(80), "{what}: {last:?}");
        assert_eq!(world.fetched.len(), 220, "{what}");
    }
}
