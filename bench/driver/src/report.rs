//! Figures -> Markdown to read and JSON to keep.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::far::ROUND_TRIP;
use crate::line_up::{
    AUTHORIZERS, BARE_HTTP, BARE_RUNTIME, EXPRESS, FAR, FIRST, FIRST_AGAIN, FIRST_PINNED, FLASK, HYDRATED, JWT_VERIFY,
    OURS, PINNED, variable,
};
use crate::measure::{Figures, Memory, Warm};
use crate::samples::{Figure, Samples};
use crate::targets::{Target, cold_start_noise};

/// The order of the rows.
const ROWS: [&str; 11] =
    [OURS, PINNED, FIRST, FIRST_AGAIN, FIRST_PINNED, BARE_RUNTIME, BARE_HTTP, JWT_VERIFY, HYDRATED, EXPRESS, FLASK];

pub fn markdown(figures: &Figures, targets: &[Target]) -> String {
    let mut text = String::new();
    let mut line = |words: String| _ = writeln!(text, "{words}");
    line(format!("{}.", machine()));
    line(match &figures.no_share {
        None => "Cold starts at the CPU share of a 128 MB function, the init phase at full speed.".to_owned(),
        Some(error) => format!("Cold starts at full speed: a CPU share could not be set ({error})."),
    });
    line(format!("The median of {} rounds, and in parentheses the best of them.", figures.rounds));
    line(String::new());
    for (title, names) in [(" ", ROWS.as_slice()), (" Lambda authorizers ", &AUTHORIZERS)] {
        let rows: Vec<_> = names.iter().filter_map(|name| Some(row(figures, name, figures.cold.get(name)?))).collect();
        if !rows.is_empty() {
            line(format!(
                "|{title}| cold start | warm request | p99 | CPU | peak memory, 1,000 / 10,000 requests | zip |"
            ));
            line("|---|---|---|---|---|---|---|".to_owned());
            rows.into_iter().for_each(&mut line);
            line(String::new());
        }
    }
    if !figures.far.is_empty() {
        line(format!("| the tenant {} ms of round trip away | far cold start |", ROUND_TRIP.as_millis()));
        line("|---|---|".to_owned());
        for (name, far) in FAR.iter().filter_map(|name| Some((name, figures.far.get(name)?))) {
            line(format!("| {name} | {} |", milliseconds(far)));
        }
        line(String::new());
    }
    if !figures.refused.is_empty() {
        line("| what this function refuses | warm request | p99 | CPU |".to_owned());
        line("|---|---|---|---|".to_owned());
        for (name, warm) in &figures.refused {
            line(format!("| {name} | {} |", latencies(warm)));
        }
        line(String::new());
    }
    line(format!("One RS256 verification alone: {}.", figure(figures.floor.least_is_best(), 1, "µs")));
    let [curl, far_curl] = [&figures.curl, &figures.far_curl].map(milliseconds);
    line(format!("The JWKS fetched by curl: {curl}, and from {} ms away: {far_curl}.", ROUND_TRIP.as_millis()));
    for (name, workers) in &figures.throughput {
        let [one, eight] = workers.each_ref().map(|rates| figure(rates.most_is_best(), 0, ""));
        line(format!("Requests a second, {name}: {one} by 1 worker on one core, {eight} by 8 on all."));
    }
    let [one, all] = figures.verifications.each_ref().map(Samples::most_is_best);
    let [one_core, all_cores] = [one, all].map(|rate| figure(rate, 0, ""));
    let times = figure(all / one, 2, "times");
    line(format!("RS256 verifications a second: {one_core} on one core, {all_cores} on all: {times} as many."));
    line(String::new());
    line("| target | medians | best | limit | met |".to_owned());
    line("|---|---|---|---|---|".to_owned());
    for target in targets {
        let Target { what, measured: Figure { median, best }, limit, at_least } = target;
        let bound = if *at_least { "at least" } else { "at most" };
        let met = if target.met() { "yes" } else { "**no**" };
        let digits = if *limit < 0.1 { 4 } else { 3 };
        line(format!("| {what} | {median:.digits$} | {best:.digits$} | {bound} {limit:.digits$} | {met} |"));
    }
    text
}

pub fn json(figures: &Figures, targets: &[Target]) -> String {
    let candidates: Map<_, _> = ROWS
        .iter()
        .chain(&AUTHORIZERS)
        .filter_map(|name| Some((*name, figures.cold.get(name)?)))
        .map(|(name, cold)| {
            let candidate = json!({
                "cold_start_us": least(cold),
                "warm": figures.warm.get(name).map(warm),
                "throughput_per_s": figures.throughput.get(name).map(|[one, eight]| json!({
                    "1 worker, one core": most(one), "8 workers, all cores": most(eight) })),
                "peak_memory_kib": figures.memory.get(name).map(|memory| json!({
                    "1,000 requests": least(&memory.early), "10,000 requests": memory.late.as_ref().map(least) })),
                "zip_bytes": figures.zips.get(name),
            });
            (name.to_owned(), candidate)
        })
        .collect();
    let far: Map<_, _> = FAR
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!({ "cold_start_us": least(figures.far.get(name)?) }))))
        .collect();
    let refused: Map<_, _> =
        figures.refused.iter().map(|(name, figures)| ((*name).to_owned(), warm(figures))).collect();
    let targets: Vec<_> = targets
        .iter()
        .map(|target| {
            let bound = if target.at_least { "at_least" } else { "at_most" };
            let Figure { median, best } = target.measured;
            json!({ "what": target.what, "median": median, "best": best, bound: target.limit, "met": target.met() })
        })
        .collect();
    let results = json!({
        "machine": machine(),
        "rounds": figures.rounds,
        "cpu_share": figures.no_share.is_none(),
        "candidates": candidates,
        "far": { "round_trip_ms": ROUND_TRIP.as_millis(), "candidates": far, "curl_us": least(&figures.far_curl) },
        "refused": refused,
        "rs256_us": least(&figures.floor),
        "verifications_per_s": figures.verifications.each_ref().map(most),
        "curl_us": least(&figures.curl),
        "cold_start_noise": cold_start_noise(figures),
        "targets": targets,
    });
    format!("{results:#}\n")
}

fn row(figures: &Figures, name: &str, cold: &Samples) -> String {
    let warm = figures.warm.get(name).map_or("| |".to_owned(), latencies);
    let memory = figures.memory.get(name).map_or(String::new(), memory);
    let zip = figures.zips.get(name).map_or(String::new(), |bytes| size(*bytes));
    format!("| {name} | {} | {warm} | {memory} | {zip} |", milliseconds(cold))
}

fn warm(warm: &Warm) -> Value {
    json!({ "median_us": least(&warm.latency), "p99_us": least(&warm.p99), "cpu_us": least(&warm.cpu) })
}

fn least(samples: &Samples) -> Value {
    with_rounds(samples.least_is_best(), samples)
}

fn most(samples: &Samples) -> Value {
    with_rounds(samples.most_is_best(), samples)
}

fn with_rounds(Figure { median, best }: Figure, samples: &Samples) -> Value {
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    json!({
        "median": tenths(median), "best": tenths(best),
        "rounds": samples.0.iter().map(|value| tenths(*value)).collect::<Vec<_>>(),
    })
}

/// Three cells.
fn latencies(warm: &Warm) -> String {
    [&warm.latency, &warm.p99, &warm.cpu].map(|samples| figure(samples.least_is_best(), 0, "µs")).join(" | ")
}

fn milliseconds(samples: &Samples) -> String {
    figure(samples.least_is_best() / Figure::exactly(1e3), 1, "ms")
}

fn figure(Figure { median, best }: Figure, digits: usize, unit: &str) -> String {
    format!("{median:.digits$} ({best:.digits$}) {unit}").trim_end().to_owned()
}

fn memory(memory: &Memory) -> String {
    let mib = |samples: &Samples| figure(samples.least_is_best() / Figure::exactly(1024.0), 1, "");
    format!("{} / {} MiB", mib(&memory.early), memory.late.as_ref().map_or("–".to_owned(), mib))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{:02} MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000),
    }
}

/// What it was measured on, with what, and when.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let says = |command: &str, arguments: &[&str]| {
        let output = Command::new(command).args(arguments).output();
        output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let version = |name, before| match variable(name) {
        Ok(path) if !path.is_empty() => format!("{before}{}", says(&path, &["--version"])),
        _ => String::new(), // nothing was measured that runs on it
    };
    let (node, python) = (version("NODE", ", Node "), version("PYTHON", ", "));
    format!("{}, {cpu}, {cores} cores, {}{node}{python}", says("date", &["-u", "+%-d %B %Y"]), says("uname", &["-sr"]))
}
