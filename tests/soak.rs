//! Hours with an issuer that rotates all the time and fails every fifth time, under a flood of junk: no valid token
//! refused, no other accepted, nothing that grows. The clock runs 60 times as fast; `make soak` lasts ten minutes.

mod front_door;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use api_authorization::clock::{Clock, Now};
use front_door::*;
use tenant::{Answer, Key, Tenant};

const SPEED: u32 = 60;

/// A key pair and when it was published and withdrawn, in seconds of the fast clock.
struct Published {
    key: Key,
    since: u64,
    withdrawn: Option<u64>,
}

#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    rotations: u64,
    faults: u64,
    accepted: u64,
    refused: u64,
    unavailable: u64,
    wrong: u64,
}

#[tokio::test]
async fn soak() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|value| value.parse().ok()).unwrap_or(20);
    let started = Instant::now();
    let passed = move || started.elapsed() * SPEED;
    let clock =
        Clock::new(move || Now { monotonic: passed(), wall: Duration::from_secs(NOW.unsigned_abs()) + passed() });
    let fast = move || passed().as_secs();
    let api = FrontDoor::by_clock(Tenant::http().await, &[], &clock);
    let token = |key: &Key| api.token().at(NOW).claim("exp", NOW + 1_000_000).signed_by(key);

    // Keys are made beforehand: making one takes as long as a thousand requests.
    let spare: Vec<_> = (0..12).map(|n| Key::generate(&format!("key-{n}"))).collect();
    let stranger = Key::generate("stranger");
    let mut published = VecDeque::from([Published { key: api.tenant.key(), since: 0, withdrawn: None }]);
    let mut spare = VecDeque::from(spare);
    let mut dice = Dice(7);
    let mut tally = Tally::default();
    let mut at_start = None;
    let mut next_turn = 0;

    while started.elapsed() < Duration::from_secs(seconds) {
        if fast() >= next_turn {
            next_turn = fast() + 20;
            turn(&api.tenant, &mut published, &mut spare, fast(), &mut dice, &mut tally);
        }
        for entry in &published {
            let age = fast().saturating_sub(entry.since);
            let gone = entry.withdrawn.map(|at| fast().saturating_sub(at));
            let status = api.get("/api/private", &token(&entry.key).sign()).await.status;
            tally.count(status);
            // The junk leaves a new key one fetch in 30 s; an old one is forgotten after ten minutes. A failed fetch may add
            // its own pause to either, and a fetch that was under way does not count.
            let wrong = match (status, gone) {
                (401, None) => age > 45,
                (200, Some(gone)) => gone > 780,
                (status, _) => !matches!(status, 200 | 401 | 503),
            };
            if wrong {
                tally.wrong += 1;
                eprintln!("{status} for a key published {age} s and withdrawn {gone:?} s before");
            }
        }
        let current = &published.back().expect("a key").key;
        for junk in [
            token(&stranger).header("kid", format!("made-up-{}", tally.requests)).sign(),
            token(&stranger).header("kid", current.kid()).sign(),
            token(current).claim("exp", NOW - 60).sign(),
            token(current).claim("aud", "https://other.example").sign(),
            "junk".to_owned(),
        ] {
            let status = api.get("/api/private", &junk).await.status;
            tally.count(status);
            tally.wrong += u64::from(!matches!(status, 401 | 503));
        }
        // Caches, pools and the allocator have their size once everything has happened a few times.
        if at_start.is_none() && started.elapsed() > Duration::from_secs(seconds / 4) {
            at_start = usage();
        }
    }

    println!("soak: {} s of the fast clock, {} fetches, {tally:?}", fast(), api.tenant.fetches());
    assert_eq!(tally.wrong, 0);
    assert!(tally.rotations > 5 && tally.faults > 0 && tally.accepted > 100, "{tally:?}");
    // One for each 30 s, one for each set of keys that is no longer fresh; in 20 s of an outage, six.
    let most = 4 + fast() / 30 + fast() / 480 + 6 * tally.faults;
    assert!(api.tenant.fetches() as u64 <= most, "no more than {most} fetches");
    if let (Some(start), Some(end)) = (at_start, usage()) {
        println!("soak: memory {} -> {} KiB, file descriptors {} -> {}", start.0, end.0, start.1, end.1);
        assert!(end.0 < start.0 + 4_096, "memory has grown");
        assert!(end.1 <= start.1 + 4, "file descriptors have grown");
    }
}

/// The tenant publishes a new key and, when there are four, withdraws the oldest. One turn in five, it is down.
fn turn(
    tenant: &Tenant,
    published: &mut VecDeque<Published>,
    spare: &mut VecDeque<Key>,
    now: u64,
    dice: &mut Dice,
    tally: &mut Tally,
) {
    if dice.roll(5) == 0 {
        tally.faults += 1;
        // It is not tried again within a fetch, which would last for ten minutes of the fast clock.
        tenant.serve(Answer::Body { status: 404, content_type: "text/plain".to_owned(), body: b"down".to_vec() });
    } else {
        tenant.serve(Answer::Jwks);
    }
    if dice.roll(3) == 0
        && let Some(key) = spare.pop_front()
    {
        tally.rotations += 1;
        tenant.publish(&key);
        published.push_back(Published { key, since: now, withdrawn: None });
    }
    let live = published.iter().filter(|entry| entry.withdrawn.is_none()).count();
    if live > 4
        && let Some(oldest) = published.iter_mut().find(|entry| entry.withdrawn.is_none())
    {
        tenant.withdraw(oldest.key.kid());
        oldest.withdrawn = Some(now);
    }
    // Long gone: nobody remembers it, and it may be published again.
    if published.front().is_some_and(|entry| entry.withdrawn.is_some_and(|at| now > at + 1_500)) {
        spare.extend(published.pop_front().map(|entry| entry.key));
    }
}

impl Tally {
    fn count(&mut self, status: u64) {
        self.requests += 1;
        match status {
            200 => self.accepted += 1,
            503 => self.unavailable += 1,
            _ => self.refused += 1,
        }
    }
}

/// Resident memory in KiB and open file descriptors, where the system tells them.
fn usage() -> Option<(usize, usize)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let memory =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((memory, std::fs::read_dir("/proc/self/fd").ok()?.count()))
}

/// The same numbers each time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
