//! A fleet of real processes, and one tenant that grants 20 requests a second for its keys and answers 429 to the rest, as
//! Auth0 does: who is answered 503, what it costs the tenant, and when all are well after an outage. `make fleet` lasts two
//! minutes, and prints its figures as rows of a table. `tests/process.rs` has a small fleet for `cargo test`.

mod front_door;
mod lambda;

use std::sync::OnceLock;
use std::time::Duration;

use front_door::*;
use futures_util::future::{join, join_all};
use lambda::Lambda;
use tenant::{Answer, Tenant};
use tokio::time::{Instant, sleep, sleep_until};

/// How many requests the tenant grants at once, and in each second.
const GRANTS: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet() {
    row("measurement", "target", "measured");
    row("---", "---", "---");
    a_hundred_at_once().await;
    a_hundred_with_pinned_keys().await;
    sixty_for_half_a_minute().await;
    outage("answers 404, which ends a fetch at once", status(404)).await;
    outage("answers 503, which is tried again", status(503)).await;
    outage("accepts connections and says nothing", Answer::Never).await;
    one_failed_fetch().await;
}

/// Each starts without keys and has a request waiting.
async fn a_hundred_at_once() {
    let fleet = Fleet::start(100, Keys::Fetched, Answer::Jwks).await;
    let asked = fleet.each(|process| fleet.ask(process)).await;

    assert_eq!(unavailable(&asked), 0);
    assert_eq!(fleet.tenant.granted(), 100, "one for each");
    assert_eq!(fleet.fetches(), (100, 0));
    let last = asked.iter().map(|asked| asked.answered).max().expect("an answer") - fleet.started;
    row(
        "100 processes start at once, each with one request: answered 503, last answer",
        "0, 6.5 s",
        &format!("0, {:.1} s (the tenant was asked {} times)", last.as_secs_f64(), fleet.tenant.fetches()),
    );
}

/// A process works at one thing at a time. So where a request waits for no fetch, its line in the log comes before the one of
/// the fetch; and it takes less than 0.3 s, which is how long requests wait that find stale keys. (Half of them may take longer:
/// a hundred processes keep a small machine busy.)
async fn a_hundred_with_pinned_keys() {
    let fleet = Fleet::start(100, Keys::Pinned, Answer::Jwks).await;
    let asked = fleet.each(|process| fleet.ask(process)).await;

    assert_eq!(unavailable(&asked), 0);
    let mut took = vec![];
    for process in &fleet.processes {
        // Good or failed, the fetch has its line in the end.
        while !process.log().contains("JWKS") {
            sleep(Duration::from_millis(50)).await;
        }
        let log = process.log();
        let answered = log.find(r#""message":"request""#).expect("a line in the access log");
        assert!(Some(answered) < log.find("JWKS"), "it has waited for the fetch: {log}");
        took.push(process.requests()[0]["fields"]["latency_ms"].as_f64().expect("a latency"));
    }
    took.sort_by(f64::total_cmp);
    let (median, longest) = (took[50], took[99]);
    assert!(median < 300.0, "they have waited for the fetch: {took:?}");
    row(
        "the same with pinned keys: requests that wait for a fetch",
        "0",
        &format!("0 (half of them took less than {median:.1} ms, the longest {longest:.0} ms)"),
    );
}

/// Twice a second each, whether the answer before has come or not.
async fn sixty_for_half_a_minute() {
    let fleet = Fleet::start(60, Keys::Fetched, Answer::Jwks).await;
    let (fleet, every) = (&fleet, Duration::from_millis(500));
    let asked = fleet.each(async |process| {
        let asked = (0..60).map(async |n| {
            sleep_until(fleet.started + every * n).await;
            fleet.ask(process).await
        });
        join_all(asked).await
    });
    let asked: Vec<_> = asked.await.into_iter().flatten().collect();

    assert_eq!((asked.len(), unavailable(&asked)), (3_600, 0));
    let (good, failed) = fleet.fetches();
    assert!(good + failed <= 90, "{good} good fetches, {failed} failed ones");
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let each = (good + failed) as f64 / 60.0;
    row(
        "60 processes, asked twice a second for 30 s: answered 503, fetches a process",
        "0, 1.5",
        &format!("0 of 3,600, {each:.1} (the tenant was asked {} times)", fleet.tenant.fetches()),
    );
}

/// The tenant is down when 60 processes start, and comes back. Their callers do as `Retry-After` says: who asks a tenant
/// that is back is answered.
async fn outage(how: &str, down: Answer) {
    let fleet = Fleet::start(60, Keys::Fetched, down).await;
    let (fleet, back) = (&fleet, &OnceLock::new());
    let recovery = async {
        sleep_until(fleet.started + Duration::from_secs(20)).await;
        fleet.tenant.serve(Answer::Jwks);
        back.set(Instant::now()).expect("once");
    };
    let callers = fleet.each(async |process| {
        let mut told = 0;
        loop {
            let is_back = back.get().is_some();
            let asked = fleet.ask(process).await;
            let Some(seconds) = asked.retry_after else { return (asked.answered, told) };
            assert!(!is_back, "{how}: told to come back after {told} s, and then after {seconds}");
            told = seconds;
            sleep_until(asked.answered + Duration::from_secs(told)).await;
        }
    });
    let ((), callers) = join(recovery, callers).await;

    let back = back.get().expect("it came back");
    let last = callers.iter().map(|(well, _)| well.saturating_duration_since(*back)).max().expect("a caller");
    let told = callers.iter().map(|(_, told)| told).max().expect("a caller");
    row(
        &format!("a tenant that is down for 20 s ({how}): longest `Retry-After`, last of 60 is well"),
        "12 s at most",
        &format!("{told} s, {:.1} s", last.as_secs_f64()),
    );
}

/// Ten processes have asked once in the init phase, and once for a request.
async fn one_failed_fetch() {
    let fleet = Fleet::start(10, Keys::Fetched, status(404)).await;
    let fleet = &fleet;
    fleet.each(async |process| assert_eq!(process.get("/api/public", "").await.0, 200)).await;
    let asked = fleet.each(|process| fleet.ask(process)).await;
    assert_eq!((unavailable(&asked), fleet.fetches()), (10, (0, 20)));

    fleet.tenant.serve(Answer::Jwks);
    let back = Instant::now();
    let well = join_all(fleet.processes.iter().zip(asked).map(async |(process, asked)| {
        let seconds = asked.retry_after.expect("it was answered 503");
        assert!(seconds <= 2, "1 s, more or less by a fifth: {seconds}");
        sleep_until(asked.answered + Duration::from_secs(seconds)).await;
        let asked = fleet.ask(process).await;
        assert_eq!(asked.retry_after, None, "it is well when its own Retry-After has passed");
        asked.answered - back
    }));
    let last = well.await.into_iter().max().expect("a process");
    row("an outage of one failed fetch: last of 10 is well", "3 s", &format!("{:.1} s", last.as_secs_f64()));
}

/// Processes that end with the test, and the tenant that they share.
struct Fleet {
    tenant: Tenant,
    token: String,
    processes: Vec<Lambda>,
    started: Instant,
}

enum Keys {
    Fetched,
    Pinned,
}

/// What became of one request.
struct Asked {
    answered: Instant,
    /// `None`: it was answered 200.
    retry_after: Option<u64>,
}

impl Fleet {
    async fn start(size: usize, keys: Keys, answer: Answer) -> Self {
        let tenant = Tenant::https().await;
        tenant.limit(GRANTS, GRANTS);
        tenant.serve(answer);
        let jwks = tenant.jwks().to_string();
        let environment = match keys {
            Keys::Fetched => vec![],
            Keys::Pinned => vec![("PINNED_JWKS", jwks.as_str())],
        };
        let started = Instant::now();
        let processes = join_all((0..size).map(|_| Lambda::start(&tenant, &environment))).await;
        Self { token: tenant.token().sign(), tenant, processes, started }
    }

    /// Does this with all processes at once.
    async fn each<'a, F: Future>(&'a self, action: impl Fn(&'a Lambda) -> F) -> Vec<F::Output> {
        join_all(self.processes.iter().map(action)).await
    }

    /// Asks for a protected route.
    async fn ask(&self, process: &Lambda) -> Asked {
        let authorization = format!("Bearer {}", self.token);
        let answer = process.send(&event("GET", "/api/private", &[("authorization", &authorization)])).await;
        let answered = Instant::now();
        let unavailable = answer.status == 503;
        answer.decides(unavailable.then_some(&KEYS_UNAVAILABLE), "one of a fleet");
        Asked { answered, retry_after: unavailable.then(|| answer.retry_after().unsigned_abs()) }
    }

    /// How many fetches were good, and how many failed.
    fn fetches(&self) -> (usize, usize) {
        let count = |message: &str| self.processes.iter().map(|process| process.lines(message).len()).sum();
        (count("JWKS fetched"), count("JWKS not fetched"))
    }
}

fn unavailable(asked: &[Asked]) -> usize {
    asked.iter().filter(|asked| asked.retry_after.is_some()).count()
}

fn status(status: u16) -> Answer {
    Answer::Body { status, content_type: "text/plain".to_owned(), body: b"down".to_vec() }
}

/// A row of the table.
fn row(measurement: &str, target: &str, measured: &str) {
    println!("| {measurement} | {target} | {measured} |");
}
