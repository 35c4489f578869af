//! Candidates -> figures, a table, a chart: what `make bench` prints and writes.

mod candidate;
mod chart;
mod cpu_share;
mod far;
mod floor;
mod line_up;
mod measure;
mod noise;
mod report;
mod runtime_api;
mod samples;
mod targets;

use std::path::PathBuf;
use std::{env, fs, io, process};

fn main() {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    if let Some((word, arguments)) = arguments.split_first()
        && word == "become"
    {
        eprintln!("{}", candidate::become_candidate(arguments));
        process::exit(1);
    }
    if let Err(error) = bench() {
        eprintln!("\nThe measurement failed: {error}");
        process::exit(1);
    }
}

fn bench() -> io::Result<()> {
    let rounds = match env::var("ROUNDS") {
        Err(_) => 20,
        Ok(rounds) => rounds.parse().ok().filter(|rounds| *rounds > 0).ok_or_else(|| {
            io::Error::other(format!("ROUNDS is {rounds:?}: set it to a number of rounds, as 5, or leave it out"))
        })?,
    };
    let line_up = line_up::LineUp::from_env()?;
    let figures = measure::all(&line_up, rounds)?;
    let targets = targets::all(&figures);
    let folder = PathBuf::from(line_up::variable("RESULTS")?);
    fs::write(folder.join("results.json"), report::json(&figures, &targets))?;
    fs::write(folder.join("results.svg"), chart::svg(&figures))?;
    println!("{}", report::markdown(&figures, &targets));
    Ok(())
}
