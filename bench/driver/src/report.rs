//! Figures -> Markdown to read and JSON to keep.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::line_up::{BARE, EXPRESS, FLASK, HYDRATED, JWT_VERIFY, OURS, PINNED, variable};
use crate::measure::{Figures, Samples, Warm};
use crate::targets::Target;

/// The order of the rows.
pub const ROWS: [&str; 7] = [OURS, PINNED, BARE, JWT_VERIFY, HYDRATED, EXPRESS, FLASK];

pub fn markdown(figures: &Figures, targets: &[Target]) -> String {
    let mut text = String::new();
    let mut line = |words: String| _ = writeln!(text, "{words}");
    line(format!("{}.", machine()));
    line(match &figures.no_share {
        None => "Cold starts at the CPU share of a 128 MB function, the init phase at full speed.".to_owned(),
        Some(error) => format!("Cold starts at full speed: a CPU share could not be set ({error})."),
    });
    line(String::new());
    line("| | cold start: best | median | warm request: median | p99 | CPU | peak memory, 1,000 / 10,000 requests | zip |".to_owned());
    line("|---|---|---|---|---|---|---|---|".to_owned());
    for name in ROWS {
        let warm = figures.warm.get(name);
        let micro = |samples: Option<f64>| samples.map_or(String::new(), |time| format!("{time:.0} µs"));
        line(format!(
            "| {name} | {} | {} | {} | {} | {} | {} |",
            figures.cold.get(name).map_or(String::new(), |samples| format!(
                "{:.1} ms | {:.1} ms",
                samples.best() / 1e3,
                samples.median() / 1e3
            )),
            micro(warm.map(|warm| warm.median.best())),
            micro(warm.map(|warm| warm.p99.best())),
            micro(warm.map(|warm| warm.cpu.best())),
            figures.memory.get(name).map_or(String::new(), |(first, last)| memory(*first, *last)),
            figures.zips.get(name).map_or(String::new(), |bytes| size(*bytes)),
        ));
    }
    line(String::new());
    line("| what this function refuses | median | p99 | CPU |".to_owned());
    line("|---|---|---|---|".to_owned());
    for (name, warm) in &figures.refused {
        let [median, p99, cpu] = [&warm.median, &warm.p99, &warm.cpu].map(Samples::best);
        line(format!("| {name} | {median:.0} µs | {p99:.0} µs | {cpu:.0} µs |"));
    }
    line(String::new());
    line(format!("One RS256 verification alone: {:.1} µs.", figures.floor.best()));
    line(format!("The JWKS fetched by curl: {:.1} ms.", figures.curl.best() / 1e3));
    for (name, [one, eight]) in &figures.throughput {
        let (one, eight) = (one.most(), eight.most());
        line(format!("Requests a second, {name}: {one:.0} by 1 worker on one core, {eight:.0} by 8 on all."));
    }
    let [one, all] = figures.verifications.each_ref().map(Samples::most);
    line(format!(
        "RS256 verifications a second: {one:.0} on one core, {all:.0} on all: {:.2} times as many.",
        all / one
    ));
    line(String::new());
    line("| target | measured | limit | met |".to_owned());
    line("|---|---|---|---|".to_owned());
    for Target { what, measured, limit, at_least } in targets {
        let target = Target { what: what.clone(), measured: *measured, limit: *limit, at_least: *at_least };
        let (bound, met) =
            (if *at_least { "at least" } else { "at most" }, if target.met() { "yes" } else { "**no**" });
        line(format!("| {what} | {measured:.3} | {bound} {limit:.3} | {met} |"));
    }
    text
}

pub fn json(figures: &Figures, targets: &[Target]) -> String {
    let candidates: Map<_, _> = ROWS
        .into_iter()
        .map(|name| {
            let candidate = json!({
                "cold_start_us": figures.cold.get(name).map(samples),
                "warm": figures.warm.get(name).map(warm),
                "throughput_per_s": figures.throughput.get(name).map(|[one, eight]| json!({
                    "1 worker, one core": rates(one), "8 workers, all cores": rates(eight) })),
                "peak_memory_kib": figures.memory.get(name).map(|(first, last)| json!({
                    "1,000 requests": first, "10,000 requests": last })),
                "zip_bytes": figures.zips.get(name),
            });
            (name.to_owned(), candidate)
        })
        .collect();
    let refused: Map<_, _> =
        figures.refused.iter().map(|(name, figures)| ((*name).to_owned(), warm(figures))).collect();
    let targets: Vec<_> = targets
        .iter()
        .map(|target| {
            let bound = if target.at_least { "at_least" } else { "at_most" };
            json!({ "what": target.what, "measured": target.measured, bound: target.limit, "met": target.met() })
        })
        .collect();
    let results = json!({
        "machine": machine(),
        "rounds": figures.rounds,
        "cpu_share": figures.no_share.is_none(),
        "candidates": candidates,
        "refused": refused,
        "rs256_us": samples(&figures.floor),
        "verifications_per_s": figures.verifications.each_ref().map(rates),
        "curl_us": samples(&figures.curl),
        "targets": targets,
    });
    format!("{results:#}\n")
}

fn warm(warm: &Warm) -> Value {
    json!({ "median_us": samples(&warm.median), "p99_us": samples(&warm.p99), "cpu_us": samples(&warm.cpu) })
}

/// Of times: the least is the best.
fn samples(samples: &Samples) -> Value {
    with_best(samples.best(), samples)
}

/// The most is the best.
fn rates(samples: &Samples) -> Value {
    with_best(samples.most(), samples)
}

fn with_best(best: f64, samples: &Samples) -> Value {
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    json!({
        "best": tenths(best), "median": tenths(samples.median()),
        "rounds": samples.0.iter().map(|value| tenths(*value)).collect::<Vec<_>>(),
    })
}

fn memory(first: u64, last: Option<u64>) -> String {
    let mib = |kib: u64| format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024);
    format!("{} / {} MiB", mib(first), last.map_or("–".to_owned(), mib))
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
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let says = |command: &str, arguments: &[&str]| {
        let output = Command::new(command).args(arguments).output();
        output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let node = says(&variable("NODE").unwrap_or_default(), &["--version"]);
    let python = says(&variable("PYTHON").unwrap_or_default(), &["--version"]);
    let kernel = says("uname", &["-sr"]);
    let date = says("date", &["-u", "+%-d %B %Y"]);
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    format!("{date}, {cpu}, {cores} cores, {kernel}, Node {node}, {python}")
}
