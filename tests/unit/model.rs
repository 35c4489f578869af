//! The cache against a reference model: random histories, one decision a step. Tests alone.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::cache::{Asker, Cache, NoKey, Step};
use super::set::JwkSet;
use crate::clock::Now;

/// What has happened so far, oldest first. The model keeps no other state.
#[derive(Clone, Debug)]
enum Event {
    Asked(Now),
    /// A fetch started, perhaps for an unknown `kid` that fresh keys do not have.
    Started {
        at: Now,
        limit: u32,
        saved_up: bool,
    },
    /// The fetch of this number, from 1, ended.
    Ended {
        at: Now,
        fetch: u64,
        keys: Option<BTreeSet<u8>>,
        first: bool,
        draw: f64,
    },
}

#[derive(Debug, PartialEq)]
enum Decision {
    Serve,
    ServeAndStart,
    StartAndWait(Option<Duration>),
    WaitForOther(Option<Duration>),
    Unknown,
    Unavailable(u64),
}

const SHORT: Option<Duration> = Some(Duration::from_millis(300));
const LONG: Option<Duration> = Some(Duration::from_secs(8));

/// The policy, read off a history from its beginning: what is decided, whether that spends what unknown `kid`s have saved
/// up, and in how many seconds a fetch may start. Seconds; `None` waits for as long as a request may.
fn model(
    begun: Now,
    pinned: Option<&BTreeSet<u8>>,
    history: &[Event],
    kid: u8,
    asker: Asker,
    now: Now,
) -> (Decision, bool, u64) {
    let secs = |now: Now, then: Now| now.since(then).as_secs_f64();
    let mut known = pinned.map(|kids| (begun, kids.clone(), 0.0));
    let mut good = None; // the number of the last fetch, where that was good
    let mut failed = None; // when the last fetch failed, where it did, and how long none starts
    let mut failures = 0;
    let mut fetches = Vec::new();
    let mut saved = (begun, 60.0);
    let mut live: Option<(u64, Now, f64)> = None; // the fetch under way, and how long it may take
    let mut froze = false; // the last fetch was lost, although a request had waited for it
    let is_frozen = |at, started, limit| secs(at, started) > limit + 0.5;
    for event in history.iter().chain(&[Event::Asked(now)]) {
        match event {
            Event::Asked(at) => {
                froze |= live.is_some_and(|(number, started, limit)| number > 1 && is_frozen(*at, started, limit));
                live = live.filter(|(_, started, limit)| !is_frozen(*at, *started, *limit));
            }
            Event::Started { at, limit, saved_up } => {
                fetches.push(*at);
                live = Some((fetches.len() as u64, *at, f64::from(*limit)));
                if *saved_up {
                    saved = (*at, f64::min(60.0, saved.1 + secs(*at, saved.0)) - 30.0);
                }
            }
            Event::Ended { at, fetch, keys, first, draw } if live.is_some_and(|(number, ..)| number == *fetch) => {
                let lost = live.take().is_some_and(|(_, started, limit)| is_frozen(*at, started, limit));
                froze = lost && (froze || *fetch > 1);
                match keys {
                    _ if lost => {}
                    Some(keys) => {
                        known = Some((*at, keys.clone(), 600.0 * (1.0 - draw / 5.0)));
                        (good, failed, failures) = (Some(*fetch), None, 0);
                    }
                    None if *first => {}
                    None => {
                        (good, failed) = (None, Some((*at, pause(failures) * (0.8 + 0.4 * draw))));
                        failures += 1;
                    }
                }
            }
            Event::Ended { .. } => {}
        }
    }
    let (age, fresh_for) = known.as_ref().map_or((f64::INFINITY, 0.0), |(at, _, fresh)| (secs(now, *at), *fresh));
    let has_it = known.is_some_and(|(_, keys, _)| keys.contains(&kid)) && age <= 86_400.0;
    let left = failed.map_or(0.0, |(at, pause)| f64::max(0.0, ((pause - secs(now, at)) * 1e3).round() / 1e3));
    let may_start = matches!(asker, Asker::First | Asker::Again(_)) && left <= 0.0;
    let unchecked = good.is_none() && failed.is_none();
    let until_then =
        live.map_or(left, |(_, started, limit)| f64::max(0.0, limit - secs(now, started)) + pause(failures) * 1.2);
    let until_then = (until_then * 1e3).round() / 1e3;
    let until_then = (1..12_u8).find(|seconds| f64::from(*seconds) >= until_then).map_or(12, u64::from);
    let plain = |decision| (decision, false, until_then);
    if has_it {
        return plain(match live {
            _ if age < fresh_for => Decision::Serve,
            None if may_start && unchecked && fetches.is_empty() => Decision::ServeAndStart,
            None if may_start => Decision::StartAndWait(if age <= 3_600.0 && !froze { SHORT } else { LONG }),
            Some(_) if unchecked && asker == Asker::First => Decision::WaitForOther(SHORT),
            _ => Decision::Serve,
        });
    }
    let seen = matches!((good, asker), (Some(good), Asker::Again(waited)) if good >= waited);
    if live.is_some() && !seen {
        return plain(Decision::WaitForOther(None));
    }
    if live.is_none() && may_start && (age >= fresh_for || failed.is_some()) {
        return plain(Decision::StartAndWait(None));
    }
    if may_start && !seen && f64::min(60.0, saved.1 + secs(now, saved.0)) >= 30.0 {
        return (Decision::StartAndWait(None), true, until_then);
    }
    plain(match failed {
        None if asker != Asker::Late => Decision::Unknown,
        _ => Decision::Unavailable(until_then),
    })
}

/// How long none starts behind so many failures, in seconds.
fn pause(failures: usize) -> f64 {
    [1.0, 2.0, 4.0, 8.0][..].get(failures).copied().unwrap_or(10.0)
}

/// What the world does next.
#[derive(Clone, Debug)]
enum Action {
    /// Both clocks go on, by milliseconds.
    Pass(u64),
    /// One clock jumps: the wall clock by so much, or the monotonic one forward.
    JumpWall(i64),
    JumpMonotonic(u64),
    /// A request comes; where it starts a fetch, of so many seconds at most, that is left under way. `Again` names a fetch by its age.
    Ask(u8, Asker, u32),
    /// The fetch of this age (0: the youngest) ends, with these keys or none.
    End {
        back: u64,
        keys: Option<BTreeSet<u8>>,
        first: bool,
        draw: f64,
    },
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    // The figures of the policy and their neighbours are where decisions turn.
    let turning = prop_oneof![
        select(vec![
            0, 1, 300, 799, 800, 1_000, 1_200, 1_500, 1_501, 1_600, 2_000, 3_200, 3_500, 3_501, 4_000, 6_400, 8_000,
            8_500, 8_501
        ]),
        select(vec![9_600, 10_000, 12_000, 29_999, 30_000, 60_000, 480_000, 540_000, 599_999, 600_000]),
        select(vec![3_600_000, 3_600_001, 86_399_999, 86_400_000, 86_400_001]),
        0..100_000_u64,
    ];
    let keys = proptest::option::weighted(0.6, proptest::collection::btree_set(0..4_u8, 1..3));
    let asker = prop_oneof![
        5 => Just(Asker::First),
        3 => (0..3_u64).prop_map(Asker::Again),
        1 => Just(Asker::Late),
        1 => Just(Asker::Hopeless),
    ];
    let action = prop_oneof![
        3 => turning.clone().prop_map(Action::Pass),
        1 => (-90_000_000..90_000_000_i64).prop_map(Action::JumpWall),
        1 => turning.prop_map(Action::JumpMonotonic),
        4 => (0..4_u8, asker, select(vec![8, 8, 3, 1])).prop_map(|(kid, asker, limit)| Action::Ask(kid, asker, limit)),
        4 => (0..3_u64, keys, proptest::bool::weighted(0.1), select(vec![0.0, 0.5, 1.0]))
            .prop_map(|(back, keys, first, draw)| Action::End { back, keys, first, draw }),
    ];
    proptest::collection::vec(action, 1..60)
}

fn keys_of(kids: &BTreeSet<u8>) -> JwkSet {
    let modulus = "_".repeat(341) + "w"; // 256 bytes of 0xFF: nobody verifies with it
    let jwk = |kid: &u8| json!({ "kty": "RSA", "kid": kid.to_string(), "n": modulus, "e": "AQAB" });
    let jwks = json!({ "keys": kids.iter().map(jwk).collect::<Vec<_>>() });
    JwkSet::parse(jwks.to_string().as_bytes()).expect("usable keys")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_decides_as_the_model_does(
        pinned in proptest::option::weighted(0.3, proptest::collection::btree_set(0..4_u8, 1..3)),
        actions in actions(),
    ) {
        let (mut monotonic, mut wall) = (0_u64, 2_000_000_000_000_u64);
        let at = |monotonic, wall| Now { monotonic: Duration::from_millis(monotonic), wall: Duration::from_millis(wall) };
        let begun = at(monotonic, wall);
        let mut cache = Cache::new(pinned.as_ref().map(keys_of), begun);
        let mut history = Vec::new();
        let mut fetches = 0_u64;
        for action in actions {
            let now = at(monotonic, wall);
            match action {
                Action::Pass(time) => (monotonic, wall) = (monotonic + time, wall + time),
                Action::JumpWall(time) => wall = wall.saturating_add_signed(time),
                Action::JumpMonotonic(time) => monotonic += time,
                Action::Ask(kid, asker, limit) => {
                    let asker = match asker {
                        Asker::Again(back) => Asker::Again(fetches.saturating_sub(back)),
                        asker => asker,
                    };
                    let (expected, saved_up, until_then) = model(begun, pinned.as_ref(), &history, kid, asker, now);
                    history.push(Event::Asked(now));
                    let mut start = |cache: &mut Cache<()>| {
                        history.push(Event::Started { at: now, limit, saved_up });
                        fetches = cache.start((), Duration::from_secs(limit.into()), now);
                    };
                    let step = cache.ask(&kid.to_string(), asker, now);
                    prop_assert_eq!(cache.retry_after(now), until_then);
                    let decision = match step {
                        Step::Serve(_) => Decision::Serve,
                        Step::ServeAndStart(_) => {
                            start(&mut cache);
                            Decision::ServeAndStart
                        }
                        Step::Wait(_, at_most) => Decision::WaitForOther(at_most),
                        Step::Refuse(NoKey::Unknown) => Decision::Unknown,
                        Step::Refuse(NoKey::Unavailable(seconds)) => Decision::Unavailable(seconds),
                        Step::Start(at_most) => {
                            start(&mut cache);
                            Decision::StartAndWait(at_most)
                        }
                    };
                    prop_assert_eq!(decision, expected, "kid {} for {:?} after {:?}", kid, asker, history);
                }
                Action::End { back, keys, first, draw } => {
                    let Some(fetch) = fetches.checked_sub(back).filter(|fetch| *fetch > 0) else { continue };
                    cache.end(fetch, keys.as_ref().map(keys_of).ok_or("down"), first, draw, now);
                    history.push(Event::Ended { at: now, fetch, keys, first, draw });
                }
            }
        }
    }
}
