//! Tests of the fair queue.

use std::pin::pin;

use futures_util::poll;

use super::*;

fn queue(permits: usize, permits_per_client: usize, max_waiting: usize) -> FairQueue<&'static str> {
    let overload_after = Duration::from_secs(3_600);
    FairQueue::new(QueueLimits { permits, permits_per_client, max_waiting, overload_after })
}

fn waits<T>(polled: std::task::Poll<T>) -> bool {
    polled.is_pending()
}

#[tokio::test]
async fn clients_take_turns_independently_of_their_number_of_requests() {
    let queue = queue(1, 1, 100);
    let first = queue.acquire("a").await.unwrap();
    let (mut a1, mut a2) = (pin!(queue.acquire("a")), pin!(queue.acquire("a")));
    assert!(waits(poll!(&mut a1)) && waits(poll!(&mut a2)));
    let mut b = pin!(queue.acquire("b"));
    assert!(waits(poll!(&mut b)));
    drop(first);
    let second = a1.await.unwrap();
    assert!(waits(poll!(&mut a2)) && waits(poll!(&mut b)));
    drop(second);
    drop(b.await.unwrap());
    drop(a2.await.unwrap());
    assert_eq!(queue.waiting_count(), 0);
    drop(queue.acquire("c").await.unwrap());
}

#[tokio::test]
async fn a_client_is_limited_to_its_share_while_permits_are_free() {
    let queue = queue(3, 2, 100);
    let held = [queue.acquire("a").await.unwrap(), queue.acquire("a").await.unwrap()];
    let mut third = pin!(queue.acquire("a"));
    assert!(waits(poll!(&mut third)));
    let other = queue.acquire("b").await.unwrap();
    drop(other);
    assert!(waits(poll!(&mut third)), "a place is free, but not for this client");
    drop(held);
    third.await.unwrap();
}

#[tokio::test]
async fn a_cancelled_request_keeps_no_permit() {
    let queue = queue(1, 1, 100);
    let first = queue.acquire("a").await.unwrap();
    {
        let mut gone = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut gone)));
    }
    let mut next = pin!(queue.acquire("c"));
    assert!(waits(poll!(&mut next)));
    drop(first);
    drop(next.await.unwrap());
    // The request is cancelled after it was given a permit and before it takes it.
    let first = queue.acquire("a").await.unwrap();
    {
        let mut given = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut given)));
        drop(first);
    }
    queue.acquire("c").await.unwrap();
}

#[tokio::test]
async fn a_full_queue_refuses_the_client_with_the_most_requests() {
    let queue = queue(1, 1, 3);
    let held = queue.acquire("a").await.unwrap();
    let mut a: Vec<_> = (0..3).map(|_| Box::pin(queue.acquire("a"))).collect();
    for waiting in &mut a {
        assert!(waits(poll!(waiting)));
    }
    assert_eq!(queue.acquire("a").await.err(), Some(Refused));
    let mut b = pin!(queue.acquire("b"));
    assert!(waits(poll!(&mut b)));
    assert_eq!(a.pop().unwrap().await.err(), Some(Refused), "its last request made room");
    let mut c = pin!(queue.acquire("c"));
    assert!(waits(poll!(&mut c)));
    // Each client has one waiting request: a client that was never served displaces one that was, and no other.
    let mut d = pin!(queue.acquire("d"));
    assert!(waits(poll!(&mut d)));
    assert_eq!(a.remove(0).await.err(), Some(Refused));
    assert_eq!(queue.acquire("e").await.err(), Some(Refused));
    drop(held);
    drop(b.await.unwrap());
    drop(c.await.unwrap());
    drop(d.await.unwrap());
}

#[tokio::test]
async fn a_standing_queue_accepts_as_many_requests_as_permits() {
    let overload_after = Duration::from_millis(50);
    let limits = QueueLimits { permits: 1, permits_per_client: 1, max_waiting: 100, overload_after };
    let queue = FairQueue::new(limits);
    let held = queue.acquire("a").await.unwrap();
    let (mut b, mut c) = (pin!(queue.acquire("b")), pin!(queue.acquire("c")));
    assert!(waits(poll!(&mut b)) && waits(poll!(&mut c)));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(queue.acquire("d").await.err(), Some(Refused));
    drop(held);
    drop(b.await.unwrap());
    drop(c.await.unwrap());
    let held = queue.acquire("a").await.unwrap();
    let mut b = pin!(queue.acquire("b"));
    assert!(waits(poll!(&mut b)));
    assert_eq!(queue.acquire("c").await.err(), Some(Refused), "it was overloaded a moment ago");
    drop(held);
    drop(b.await.unwrap());
    tokio::time::sleep(Duration::from_millis(110)).await;
    let _held = queue.acquire("a").await.unwrap();
    let (mut b, mut c) = (pin!(queue.acquire("b")), pin!(queue.acquire("c")));
    assert!(waits(poll!(&mut b)) && waits(poll!(&mut c)), "and is no longer");
}

#[tokio::test]
async fn an_overload_leaves_one_permit_for_each_core_until_it_ends() {
    let (cores, overload_after) = (threads::cores(), Duration::from_millis(300));
    let permits = 4 * cores;
    let limits = QueueLimits { permits, permits_per_client: permits, max_waiting: 1_000, overload_after };
    let (queue, mut held) = (FairQueue::new(limits), Vec::new());
    for _ in 0..permits {
        held.push(queue.acquire("a").await.unwrap());
    }
    {
        let mut first = pin!(queue.acquire("a"));
        assert!(waits(poll!(&mut first)));
        tokio::time::sleep(overload_after + Duration::from_millis(10)).await;
        // As many requests may wait as there are cores; one waits already.
        let mut others: Vec<_> = (1..cores).map(|_| Box::pin(queue.acquire("a"))).collect();
        for other in &mut others {
            assert!(waits(poll!(other)));
        }
        assert_eq!(queue.acquire("a").await.err(), Some(Refused));
    }
    let mut next = pin!(queue.acquire("b"));
    assert!(waits(poll!(&mut next)));
    held.truncate(cores);
    assert!(waits(poll!(&mut next)), "each core has a query");
    drop(held.pop());
    drop(next.await.unwrap());
    // Nothing was refused for a while, so all permits are given again.
    tokio::time::sleep(2 * overload_after).await;
    for _ in held.len()..permits {
        held.push(queue.acquire("c").await.unwrap());
    }
}

#[tokio::test]
async fn cancelled_requests_do_not_make_a_standing_queue() {
    let overload_after = Duration::from_millis(30);
    let limits = QueueLimits { permits: 1, permits_per_client: 1, max_waiting: 100, overload_after };
    let queue = FairQueue::new(limits);
    let _held = queue.acquire("a").await.unwrap();
    {
        let mut gone = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut gone)));
    }
    tokio::time::sleep(Duration::from_millis(40)).await;
    let (mut c, mut d) = (pin!(queue.acquire("c")), pin!(queue.acquire("d")));
    assert!(waits(poll!(&mut c)) && waits(poll!(&mut d)));
}
