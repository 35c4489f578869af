//! The cache against a reference model: random histories, one decision a step. Tests alone.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::cache::{Cache, NoKey, Step};
use super::set::JwkSet;
use crate::clock::Now;

/// What has happened so far, oldest first. The model keeps no other state.
#[derive(Clone, Debug)]
enum Event {
    Asked(Now),
    Started(Now),
    Ended { at: Now, fetch: usize, keys: Option<BTreeSet<u8>>, first: bool },
}

#[derive(Debug, PartialEq)]
enum Decision {
    Serve,
    StartAndWait(Option<Duration>),
    WaitForOther,
    Unknown,
    Unavailable,
}

/// The policy, read off a history from its beginning. Seconds; `None` waits to the end.
fn model(pinned: Option<&(Now, BTreeSet<u8>)>, history: &[Event], kid: u8, may_start: bool, now: Now) -> Decision {
    let secs = |now: Now, then: Now| now.since(then).as_secs_f64();
    let mut known = pinned.cloned();
    let mut last = None;
    let mut fetches = Vec::new();
    let mut live = None; // the number of the fetch under way
    let mut froze = false; // the last fetch was lost
    for event in history.iter().chain(&[Event::Asked(now)]) {
        match event {
            Event::Asked(at) => {
                let gone_cold = live.is_some_and(|fetch: usize| secs(*at, fetches[fetch]) > 3.5);
                froze |= gone_cold;
                live = live.filter(|_| !gone_cold);
            }
            Event::Started(at) => {
                fetches.push(*at);
                live = Some(fetches.len() - 1);
            }
            Event::Ended { at, fetch, keys, first } if live == Some(*fetch) => {
                live = None;
                froze = secs(*at, fetches[*fetch]) > 3.5;
                if let (false, Some(keys)) = (froze, keys) {
                    known = Some((*at, keys.clone()));
                }
                if !froze && (keys.is_some() || !first) {
                    last = Some((*at, keys.is_some()));
                }
            }
            Event::Ended { .. } => {}
        }
    }
    let age = known.as_ref().map_or(f64::INFINITY, |(at, _)| secs(now, *at));
    let has_it = known.is_some_and(|(_, keys)| keys.contains(&kid)) && age <= 86_400.0;
    let pause = last.is_some_and(|(at, good)| secs(now, at) < if good { 30.0 } else { 10.0 });
    match (has_it, live.is_some(), pause) {
        (true, ..) if age < 600.0 => Decision::Serve,
        (true, false, false) if may_start => {
            Decision::StartAndWait((age <= 3_600.0 && !froze).then_some(Duration::from_millis(300)))
        }
        (true, ..) => Decision::Serve,
        (false, true, _) => Decision::WaitForOther,
        (false, false, false) if may_start => Decision::StartAndWait(None),
        (false, false, true) if last.is_some_and(|(_, good)| good) => Decision::Unknown,
        (false, false, _) => Decision::Unavailable,
    }
}

/// What the world does next.
#[derive(Clone, Debug)]
enum Action {
    /// Both clocks go on, by milliseconds.
    Pass(u64),
    /// One clock jumps: the wall clock by so much, or the monotonic one forward.
    JumpWall(i64),
    JumpMonotonic(u64),
    /// A request comes; where it starts a fetch, the fetch is left under way.
    Ask(u8, bool),
    /// The fetch of this age (0: the youngest) ends, with these keys or none.
    End {
        back: usize,
        keys: Option<BTreeSet<u8>>,
        first: bool,
    },
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    // The figures of the policy and their neighbours are where decisions turn.
    let turning = prop_oneof![
        Just(0),
        Just(1),
        Just(300),
        Just(2_999),
        Just(3_000),
        Just(3_001),
        Just(3_499),
        Just(3_500),
        Just(3_501),
        Just(4_000),
        Just(4_001),
        Just(9_999),
        Just(10_000),
        Just(29_999),
        Just(30_000),
        Just(599_999),
        Just(600_000),
        Just(3_600_000),
        Just(3_600_001),
        Just(86_399_999),
        Just(86_400_000),
        Just(86_400_001),
        0..100_000_u64,
    ];
    let keys = proptest::option::weighted(0.6, proptest::collection::btree_set(0..4_u8, 1..3));
    let action = prop_oneof![
        3 => turning.clone().prop_map(Action::Pass),
        1 => (-90_000_000..90_000_000_i64).prop_map(Action::JumpWall),
        1 => turning.prop_map(Action::JumpMonotonic),
        4 => (0..4_u8, proptest::bool::weighted(0.9)).prop_map(|(kid, may_start)| Action::Ask(kid, may_start)),
        4 => (0..3_usize, keys, proptest::bool::weighted(0.1))
            .prop_map(|(back, keys, first)| Action::End { back, keys, first }),
    ];
    proptest::collection::vec(action, 1..60)
}

fn keys_of(kids: &BTreeSet<u8>) -> JwkSet {
    JwkSet::of(kids.iter().map(u8::to_string))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_decides_as_the_model_does(
        pinned in proptest::option::weighted(0.3, proptest::collection::btree_set(0..4_u8, 1..3)),
        actions in actions(),
    ) {
        let (mut monotonic, mut wall) = (0_u64, 2_000_000_000_000_u64);
        let at = |monotonic, wall| Now { monotonic: Duration::from_millis(monotonic), wall: Duration::from_millis(wall) };
        let mut cache = Cache::new(pinned.as_ref().map(keys_of), at(monotonic, wall));
        let pinned = pinned.map(|kids| (at(monotonic, wall), kids));
        let mut history = Vec::new();
        let mut numbers = Vec::new();
        for action in actions {
            match action {
                Action::Pass(time) => (monotonic, wall) = (monotonic + time, wall + time),
                Action::JumpWall(time) => wall = wall.saturating_add_signed(time),
                Action::JumpMonotonic(time) => monotonic += time,
                Action::Ask(kid, may_start) => {
                    let now = at(monotonic, wall);
                    let expected = model(pinned.as_ref(), &history, kid, may_start, now);
                    history.push(Event::Asked(now));
                    let decision = match cache.ask(&kid.to_string(), may_start, now) {
                        Step::Serve(_) => Decision::Serve,
                        Step::Wait(()) => Decision::WaitForOther,
                        Step::Refuse(NoKey::Unknown) => Decision::Unknown,
                        Step::Refuse(NoKey::Unavailable) => Decision::Unavailable,
                        Step::Start(at_most) => {
                            history.push(Event::Started(now));
                            numbers.push(cache.start((), now));
                            Decision::StartAndWait(at_most)
                        }
                    };
                    prop_assert_eq!(decision, expected, "kid {} after {:?}", kid, history);
                }
                Action::End { back, keys, first } => {
                    let Some(fetch) = numbers.len().checked_sub(1 + back) else { continue };
                    let now = at(monotonic, wall);
                    cache.end(numbers[fetch], keys.as_ref().map(keys_of).ok_or("down"), first, now);
                    history.push(Event::Ended { at: now, fetch, keys, first });
                }
            }
        }
    }
}
