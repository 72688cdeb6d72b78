//! Simulations of the frontier with a clock that jumps from event to event: the order of hosts, the delays of hosts and
//! addresses, and the completeness of the crawl.

mod disk;
mod hosts;
mod slow;
mod sweeps;
mod world;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use backlinkd::frontier::{Backoff, Frontier, FrontierRules, NextStep};
use backlinkd::model::{Priority, QueueName};
use backlinkd::urls::CanonicalUrl;

use crate::support::dice::Dice;
use disk::Disk;
use hosts::Host;
use world::{Settings, World};

fn host(name: &str, address: u8, pages: usize) -> Host {
    Host { name: name.to_owned(), addresses: vec![address], pages, ..Host::default() }
}

fn settings() -> Settings {
    Settings {
        rules: FrontierRules {
            lane_buffer: 4,
            max_queues: 1_000,
            min_residency: Duration::from_secs(10),
            address_ttl: Duration::from_secs(1_000),
            fetchers: 16,
            slow_fetchers: 200,
            slow_after: Duration::from_secs(2),
            resolvers: 8,
        },
        delay: Duration::from_secs(1),
        forget: 0,
        disallow: 0,
        slowest: 300,
        slowest_commit: 50,
        due: false,
        seed: Priority::New(0),
        budgets: (1_000, 1_000),
        max_domain_requested: u64::MAX,
    }
}

/// A web drawn from a seed: few addresses for many hosts, and every kind of failure.
fn random_world(seed: u64) -> World {
    let mut dice = Dice(seed);
    let count = 2 + dice.below(8) as usize;
    let addresses = 1 + dice.below(count as u64);
    // All hosts of one domain, or each of its own domain.
    let together = dice.below(2) == 0;
    let hosts = (0..count)
        .map(|number| Host {
            name: if together { format!("h{number}.d.test") } else { format!("h{number}.test") },
            addresses: (0..1 + dice.below(2)).map(|_| dice.below(addresses) as u8).collect(),
            pages: 1 + dice.below(12) as usize,
            moved: (dice.below(3) == 0).then(|| dice.below(count as u64) as usize),
            found_by_dns: dice.below(12) > 0,
            failing: [0, 0, 10, 3][dice.below(4) as usize],
            ..Host::default()
        })
        .collect();
    let ttl = [1, 5_000, 1_000_000][dice.below(3) as usize];
    let settings = Settings {
        rules: FrontierRules {
            lane_buffer: 1 + dice.below(5) as usize,
            max_queues: [1_000, 1 + dice.below(count as u64) as usize][dice.below(2) as usize],
            min_residency: Duration::from_millis([0, 1_500, 1_000_000][dice.below(3) as usize]),
            address_ttl: Duration::from_millis(ttl),
            fetchers: 1 + dice.below(8) as usize,
            slow_fetchers: 1 + dice.below(4) as usize,
            slow_after: Duration::from_millis([10, 1_000][dice.below(2) as usize]),
            resolvers: 1 + dice.below(4) as usize,
        },
        delay: Duration::from_millis([0, 1, 500][dice.below(3) as usize]),
        forget: [0, 5][dice.below(2) as usize],
        disallow: [0, 4][dice.below(2) as usize],
        slowest: [0, 20, 2_000][dice.below(3) as usize],
        slowest_commit: [0, 100, 3_000][dice.below(3) as usize],
        due: dice.below(2) == 0,
        seed: [Priority::Seed, Priority::New(0)][dice.below(2) as usize],
        budgets: ([3, 1_000][dice.below(2) as usize], [7, 1_000][dice.below(2) as usize]),
        max_domain_requested: u64::MAX,
    };
    World::new(hosts, settings, dice)
}

#[test]
fn delays_are_kept_and_no_url_is_forgotten_in_any_history() {
    for seed in 0..20_000 {
        let run = || {
            let mut world = random_world(seed);
            let mut dice = Dice(seed + 1);
            // A part of it remains from an earlier crawl.
            for host in 0..world.hosts.len() {
                for page in 0..world.hosts[host].pages.min(seed as usize % 4) {
                    let url = world.page(host, page);
                    let is_due = dice.below(3) == 0;
                    let priority = if is_due { Priority::revisit(9) } else { Priority::New(page as u16) };
                    world.disk.queue(&url, page as u16, priority);
                }
            }
            let seeds: Vec<_> = (0..world.hosts.len()).map(|host| world.page(host, 0)).collect();
            world.begin(&seeds);
            world.run();
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}

/// All pages of all hosts, queued at once.
fn queue_all(world: &mut World) {
    let pages =
        (0..world.hosts.len()).flat_map(|host| (0..world.hosts[host].pages).map(move |page| (host, page)));
    let urls: Vec<_> = pages.map(|(host, page)| world.page(host, page)).collect();
    world.begin(&urls);
}

#[test]
fn hosts_at_one_address_take_turns() {
    let hosts = vec![host("a.test", 1, 9), host("b.test", 1, 9), host("c.test", 1, 9)];
    let mut world = World::new(hosts, Settings { slowest: 0, ..settings() }, Dice(1));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.fetched.len(), 27);
    for round in world.order.chunks(3) {
        let mut hosts: Vec<&str> = round.iter().map(|url| url.host()).collect();
        hosts.sort_unstable();
        assert_eq!(hosts, ["a.test", "b.test", "c.test"]);
    }
    // 27 pages and 3 robots.txt files have 29 delays between them; after the last one, the frontier finds that it is
    // empty.
    assert_eq!(world.elapsed.as_secs(), 30);
}

/// The pages of a host's queue in the order of their fetches, after its robots.txt; `entries` by page.
fn order_of(entries: &[(usize, Priority)], lane_buffer: usize) -> Vec<usize> {
    let rules = FrontierRules { lane_buffer, ..settings().rules };
    let mut world = World::new(vec![host("a.test", 1, 20)], Settings { rules, ..settings() }, Dice(7));
    // Links to other pages lead only to known ones.
    let pages: Vec<_> = (0..20).map(|page| world.page(0, page)).collect();
    world.disk.seen.extend(pages);
    for (page, priority) in entries {
        let url = world.page(0, *page);
        world.disk.entries.insert((QueueName::of(&url), *priority, url), (0, 0));
    }
    world.begin(&[]);
    world.run();
    let page = |url: &CanonicalUrl| (0..20).find(|page| world.page(0, *page) == *url).unwrap();
    world.order.iter().map(page).collect()
}

#[test]
fn due_pages_and_new_pages_alternate() {
    use Priority::{New, Revisit, Seed, Sitemap};
    let entries = [
        (1, New(1)),
        (2, New(0)),
        (3, Revisit(300)),
        (4, Revisit(200)),
        (5, Revisit(400)),
        (6, Seed),
        (7, Sitemap),
        (0, Sitemap),
        (8, New(2)),
        (9, Seed),
        (10, Revisit(100)),
    ];
    for lane_buffer in [1, 2, 100] {
        // Seeds first; then alternately a sitemap or due page and a new page. Sitemaps precede due pages, and the
        // longest due page comes first.
        assert_eq!(
            order_of(&entries, lane_buffer),
            [6, 9, 0, 2, 7, 1, 10, 8, 4, 3, 5],
            "lane_buffer {lane_buffer}"
        );
        let (due, new): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, priority)| !priority.is_new_page());
        assert_eq!(order_of(&due, lane_buffer), [6, 9, 0, 7, 10, 4, 3, 5], "lane_buffer {lane_buffer}");
        assert_eq!(order_of(&new, lane_buffer), [2, 1, 8], "lane_buffer {lane_buffer}");
    }
}

#[test]
fn addresses_do_not_wait_for_each_other() {
    let hosts = (0..10).map(|number| host(&format!("h{number}.test"), number, 5)).collect();
    let mut world = World::new(hosts, settings(), Dice(2));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.fetched.len(), 50);
    assert!(world.elapsed <= Duration::from_secs(9), "{:?}", world.elapsed);
}

#[test]
fn robots_files_that_redirect_to_each_other_block_no_host() {
    for fetchers in [1, 2, 8] {
        let rules = FrontierRules { fetchers, ..settings().rules };
        let mut hosts = vec![host("a.test", 1, 3), host("b.test", 2, 3), host("c.test", 3, 3)];
        for (number, host) in hosts.iter_mut().enumerate() {
            host.moved = Some((number + 1) % 3);
        }
        let mut world = World::new(hosts, Settings { rules, ..settings() }, Dice(3));
        queue_all(&mut world);
        world.run();
        assert_eq!(world.fetched.len(), 9, "{fetchers} fetchers");
    }
}

#[test]
fn a_robots_file_at_a_missing_host_does_not_affect_others() {
    let mut hosts = vec![host("a.test", 1, 3), host("gone.test", 2, 1), host("b.test", 1, 3)];
    hosts[0].moved = Some(1);
    hosts[1].found_by_dns = false;
    let mut world = World::new(hosts, settings(), Dice(4));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.fetched.keys().map(|url| url.host()).collect::<Vec<_>>(), ["b.test"; 3]);
}

#[test]
fn no_host_exceeds_its_share_however_slow_the_store_is() {
    let budgets = (4, 1_000);
    let slow = Settings { budgets, delay: Duration::ZERO, slowest: 1, slowest_commit: 5_000, ..settings() };
    let mut world = World::new(vec![host("a.test", 1, 30), host("b.test", 2, 3)], slow, Dice(5));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.fetched.keys().filter(|url| url.host() == "a.test").count(), 4);
    assert_eq!(world.fetched.keys().filter(|url| url.host() == "b.test").count(), 3);
}

#[test]
fn disallowed_pages_do_not_count_towards_the_share() {
    let budgets = (5, 1_000);
    let strict = Settings { budgets, disallow: 2, slowest_commit: 2_000, ..settings() };
    let mut world = World::new(vec![host("a.test", 1, 40)], strict, Dice(6));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.fetched.len(), 5);
}

#[test]
fn unresolvable_names_do_not_block_other_hosts() {
    let mut hosts: Vec<Host> = (0..100).map(|number| host(&format!("h{number}.test"), 1, 1)).collect();
    hosts.iter_mut().for_each(|host| host.found_by_dns = false);
    hosts.insert(0, host("a.test", 1, 3));
    let rules = FrontierRules { resolvers: 2, fetchers: 4, ..settings().rules };
    let slow = Settings { rules, slowest: 10_000, ..settings() };
    let mut world = World::new(hosts, slow, Dice(7));
    queue_all(&mut world);
    world.run();
    assert_eq!(world.fetched.len(), 3);
    assert!(world.resolved_at_last_page < 100, "{}", world.resolved_at_last_page);
}

/// Hosts on disk get their turns as well as those in memory. No host gets a request before the delays of the host and
/// of its address are over.
#[test]
fn all_hosts_get_turns_with_more_hosts_than_places() {
    for (seed, max_queues) in [(8, 1), (9, 3), (10, 20)] {
        let mut hosts: Vec<Host> =
            (0..40).map(|number| host(&format!("h{number}.test"), number % 7, 30)).collect();
        for (number, host) in hosts.iter_mut().enumerate() {
            // When it returns from disk, its address may have changed.
            host.addresses.push(number as u8 % 5);
        }
        let rules = FrontierRules { max_queues, ..settings().rules };
        let mut world = World::new(hosts, Settings { rules, ..settings() }, Dice(seed));
        queue_all(&mut world);
        world.run();
        assert_eq!(world.fetched.len(), 40 * 30, "{max_queues} places");
        // No host has finished its pages before others have begun.
        let begun: BTreeSet<_> = world.order[..500].iter().map(|url| url.host()).collect();
        assert!(begun.len() > 30, "{} hosts had turns, with {max_queues} places", begun.len());
    }
}

#[test]
fn a_seed_gets_its_turn_although_all_places_are_taken() {
    let hosts = (0..40).map(|number| host(&format!("h{number}.test"), number, 50)).collect();
    let rules = FrontierRules {
        max_queues: 32,
        lane_buffer: 1_000,
        min_residency: Duration::from_secs(100_000),
        ..settings().rules
    };
    let mut world = World::new(hosts, Settings { rules, ..settings() }, Dice(11));
    let pages = (0..39).flat_map(|host| (0..50).map(move |page| (host, page)));
    let urls: Vec<_> = pages.map(|(host, page)| world.page(host, page)).collect();
    world.begin(&urls);
    world.settings.seed = Priority::Seed;
    let seed = world.page(39, 0);
    world.begin(std::slice::from_ref(&seed));
    world.run();
    let place = world.order.iter().position(|url| *url == seed).unwrap();
    assert!(place < 100, "{place}");
}

#[test]
fn unresolvable_names_do_not_count_as_hosts_of_a_domain() {
    for slowest_commit in [0, 5_000] {
        let mut hosts: Vec<Host> =
            (0..20).map(|number| host(&format!("h{number}.d.test"), number, 2)).collect();
        hosts.iter_mut().take(10).for_each(|host| host.found_by_dns = false);
        let few = Settings { max_domain_requested: 4, disallow: 3, slowest_commit, ..settings() };
        let mut world = World::new(hosts, few, Dice(12));
        queue_all(&mut world);
        world.run();
        let asked: BTreeSet<_> = world.fetched.keys().map(|url| url.host()).collect();
        assert_eq!(asked.len(), 4);
    }
}

#[test]
fn a_skipped_url_is_not_yielded_again_and_its_queue_leaves_memory() {
    let mut disk = Disk { budgets: (10, 10), max_domain_requested: u64::MAX, ..Disk::default() };
    let page = backlinkd::urls::UrlRules::default().canonical("http://a.test/").unwrap();
    let arrival = disk.queue(&page, 0, Priority::New(0)).unwrap();
    let (now, name, ip) = (Instant::now(), arrival.queue.clone(), [127, 0, 0, 1].into());
    let mut frontier: Frontier<()> = Frontier::new(settings().rules);
    let admit = |frontier: &mut Frontier<()>| {
        frontier.admit(&arrival, &disk).unwrap();
        assert!(matches!(frontier.next(now, &disk), Ok(NextStep::Resolve(..))));
        frontier.finish_resolution(&name, now, Ok(ip));
        frontier.next(now, &disk).unwrap()
    };
    let NextStep::Url(_, entry) = admit(&mut frontier) else { panic!("no page") };
    frontier.skip(entry);
    frontier.finish_fetch(&name, now, None, Backoff::None);
    assert!(matches!(frontier.next(now, &disk), Ok(NextStep::Drained)));
    frontier.prune(now, &disk);
    assert!(!frontier.contains(&name));
    // A scan of the disk finds the queue again.
    assert!(matches!(admit(&mut frontier), NextStep::Drained));
    frontier.prune(now, &disk);
    assert!(!frontier.contains(&name));
}
