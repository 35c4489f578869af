//! Candidates -> figures. They take turns within each round, so that what the machine does meanwhile hits them all alike,
//! in an order drawn by lot, so that none always follows the same other.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::candidate::{Candidate, Running, authorised};
use crate::cpu_share::CpuShare;
use crate::floor;
use crate::line_up::{BARE_HTTP, FLASK, LineUp, OURS};
use crate::samples::Samples;

/// All that was measured. Times are in microseconds.
#[derive(Default)]
pub struct Figures {
    pub rounds: usize,
    /// Whether cold starts had the CPU share of a small function, and if not, why.
    pub no_share: Option<String>,
    pub cold: BTreeMap<&'static str, Samples>,
    /// Cold starts with a network between the candidate and the tenant.
    pub far: BTreeMap<&'static str, Samples>,
    /// Fetching the JWKS with curl, and fetching it over that network.
    pub curl: Samples,
    pub far_curl: Samples,
    pub warm: BTreeMap<&'static str, Warm>,
    /// Refusals of this function.
    pub refused: BTreeMap<&'static str, Warm>,
    /// One RS256 verification.
    pub floor: Samples,
    /// Requests a second: one worker and its driver on one core; eight and their driver on all.
    pub throughput: BTreeMap<&'static str, [Samples; 2]>,
    /// RS256 verifications a second, on one core and on all.
    pub verifications: [Samples; 2],
    pub memory: BTreeMap<&'static str, Memory>,
    pub zips: BTreeMap<&'static str, u64>,
}

/// One value a round of each.
#[derive(Clone, Default)]
pub struct Warm {
    /// The median of the requests of a round.
    pub latency: Samples,
    pub p99: Samples,
    pub cpu: Samples,
}

/// The most that a process has had, in KiB.
#[derive(Default)]
pub struct Memory {
    /// After 1,000 requests.
    pub early: Samples,
    /// After 10,000, where it was not too slow for that.
    pub late: Option<Samples>,
}

/// Processes of each whose warm requests are measured, one after the other: two of the same differ, most of all in
/// memory.
const PROCESSES: usize = 5;

pub fn all(line_up: &LineUp, rounds: usize) -> io::Result<Figures> {
    let cores = sched_getaffinity(None)?;
    let mut figures = Figures { rounds, zips: line_up.zips.iter().copied().collect(), ..Figures::default() };
    pin_to_one(&cores)?;
    let mut lots = Rng::with_seed(0);
    cold_starts(line_up, &mut figures, &mut lots)?;
    warm(line_up, &mut figures, &mut lots)?;
    throughput(line_up, &mut figures, &cores)?;
    progress("");
    Ok(figures)
}

fn cold_starts(line_up: &LineUp, figures: &mut Figures, lots: &mut Rng) -> io::Result<()> {
    let share = match CpuShare::new() {
        Ok(share) => Some(share),
        Err(error) => {
            figures.no_share = Some(error.to_string());
            None
        }
    };
    let tenant = &line_up.tenant;
    let ca = tenant.ca_file().expect("a tenant over https");
    let near = line_up
        .candidates
        .iter()
        .chain(&line_up.cold_alone)
        .map(|candidate| (candidate, line_up.event_for(candidate), false));
    let far = line_up.far.candidates.iter().map(|candidate| (candidate, line_up.far.event.as_str(), true));
    let mut starts: Vec<_> = near.chain(far).collect();
    for (candidate, event, _) in &starts {
        progress(&format!("once, so that its files are in memory: {}", candidate.name));
        candidate.cold_start(event, None)?;
    }
    for round in 1..=figures.rounds {
        lots.shuffle(&mut starts);
        for (candidate, event, far) in &starts {
            progress(&format!("cold starts, round {round} of {}: {}", figures.rounds, candidate.name));
            let time = candidate.cold_start(event, share.as_ref())?;
            let cold = if *far { &mut figures.far } else { &mut figures.cold };
            cold.entry(candidate.name).or_default().add(time);
        }
        figures.curl.add(curl(&tenant.jwks_uri(), &ca)?);
        figures.far_curl.add(curl(&line_up.far.jwks_uri, &ca)?);
    }
    Ok(())
}

fn curl(jwks_uri: &str, ca: &Path) -> io::Result<Duration> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--fail", "--noproxy", "*", "--cacert"]).arg(ca).arg(jwks_uri);
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let time = started.elapsed();
    if output.status.success() { Ok(time) } else { Err(io::Error::other("curl cannot fetch the JWKS")) }
}

fn warm(line_up: &LineUp, figures: &mut Figures, lots: &mut Rng) -> io::Result<()> {
    let rounds: Vec<_> = (1..=figures.rounds).collect();
    for rounds in rounds.chunks(figures.rounds.div_ceil(PROCESSES)) {
        let mut running = warmed_up(line_up, figures)?;
        for round in rounds {
            lots.shuffle(&mut running);
            for (candidate, process) in &mut running {
                progress(&format!("warm requests, round {round} of {}: {}", figures.rounds, candidate.name));
                let requests = if candidate.name == FLASK { 100 } else { 1_000 };
                let event = line_up.event_for(candidate);
                chunk(process, event, requests, figures.warm.entry(candidate.name).or_default())?;
                authorised(&process.request(event)?.1)?;
                if candidate.name == OURS {
                    refusals(process, requests, line_up, figures)?;
                }
                figures.floor.add(floor::rs256(&line_up.tenant.key(), &line_up.token));
            }
        }
    }
    Ok(())
}

/// A process of each. What memory it needs is seen meanwhile.
fn warmed_up<'a>(line_up: &'a LineUp, figures: &mut Figures) -> io::Result<Vec<(&'a Candidate, Running)>> {
    let mut running = Vec::new();
    for candidate in &line_up.candidates {
        progress(&format!("warming up: {}", candidate.name));
        let memory = figures.memory.entry(candidate.name).or_default();
        let (mut process, _) = candidate.start(None)?;
        let event = line_up.event_for(candidate);
        process.requests(event, 1_000)?;
        memory.early.0.push(process.peak_memory()?);
        // It fetches the keys for each request: 10,000 would take minutes.
        if candidate.name != FLASK {
            process.requests(event, 9_000)?;
            memory.late.get_or_insert_default().0.push(process.peak_memory()?);
        }
        running.push((candidate, process));
    }
    Ok(running)
}

fn refusals(process: &mut Running, requests: usize, line_up: &LineUp, figures: &mut Figures) -> io::Result<()> {
    for (name, event) in &line_up.refused {
        process.requests(event, 20)?;
        chunk(process, event, requests, figures.refused.entry(name).or_default())?;
        if authorised(&process.request(event)?.1).is_ok() {
            return Err(io::Error::other(format!("this must not be let in: {name}")));
        }
    }
    Ok(())
}

fn chunk(process: &mut Running, event: &str, requests: usize, warm: &mut Warm) -> io::Result<()> {
    let before = process.cpu_time()?;
    let mut latencies = process.requests(event, requests)?;
    let cpu = process.cpu_time()?.saturating_sub(before);
    latencies.sort_unstable();
    warm.latency.add(latencies[requests / 2]);
    warm.p99.add(latencies[requests * 99 / 100]);
    warm.cpu.add(cpu / u32::try_from(requests).map_err(io::Error::other)?);
    Ok(())
}

fn throughput(line_up: &LineUp, figures: &mut Figures, cores: &CpuSet) -> io::Result<()> {
    let contenders = || line_up.candidates.iter().filter(|candidate| [OURS, BARE_HTTP].contains(&candidate.name));
    let (key, threads) = (line_up.tenant.key(), cores.count());
    for round in 1..=figures.rounds.min(10) {
        for (index, threads) in [1, threads].into_iter().enumerate() {
            if threads == 1 {
                pin_to_one(cores)?;
            } else {
                sched_setaffinity(None, cores)?;
            }
            figures.verifications[index].0.push(floor::rate(&key, &line_up.token, threads));
        }
        for candidate in contenders() {
            for (index, workers) in ["1", "8"].into_iter().enumerate() {
                progress(&format!("throughput, round {round}: {}, workers: {workers}", candidate.name));
                if workers == "1" {
                    pin_to_one(cores)?;
                } else {
                    sched_setaffinity(None, cores)?;
                }
                let rates = flood(candidate, workers, &line_up.event)?;
                figures.throughput.entry(candidate.name).or_default()[index].0.extend(rates);
            }
        }
    }
    Ok(())
}

fn flood(candidate: &Candidate, workers: &str, event: &str) -> io::Result<[f64; 4]> {
    let candidate = candidate.with(candidate.name, Some(("AWS_LAMBDA_MAX_CONCURRENCY", workers.to_owned())));
    let (mut process, _) = candidate.start(None)?;
    let time = Duration::from_millis(250);
    process.flood(event, time)?;
    let mut rates = [0.0; 4];
    for rate in &mut rates {
        *rate = f64::from(process.flood(event, time)?) / time.as_secs_f64();
    }
    Ok(rates)
}

/// This thread, and what it starts from now on, on the last core that it may use: both ends of the wire on one core,
/// for otherwise waking an idle one is most of what is measured.
fn pin_to_one(cores: &CpuSet) -> io::Result<()> {
    let last = (0..CpuSet::MAX_CPU).rfind(|core| cores.is_set(*core)).unwrap_or(0);
    let mut one = CpuSet::new();
    one.set(last);
    Ok(sched_setaffinity(None, &one)?)
}

/// One line that changes; where nobody watches, none.
fn progress(words: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{words}");
        _ = io::stderr().flush();
    }
}
