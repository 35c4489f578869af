//! A candidate -> a process of it behind a Runtime API of its own, timed from outside.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process};

use serde_json::Value;

use crate::cpu_share::CpuShare;
use crate::runtime_api::{Message, RuntimeApi};

/// What is measured: a command and its environment.
#[derive(Clone)]
pub struct Candidate {
    pub name: &'static str,
    pub command: Vec<OsString>,
    pub folder: PathBuf,
    pub environment: Vec<(&'static str, String)>,
}

/// A process of a candidate.
pub struct Running {
    pub api: RuntimeApi,
    child: Child,
    /// The connections on which it waits for an event.
    asking: Vec<usize>,
    /// What it prints: a file without a name.
    log: File,
}

/// So long that a busy machine cannot fail it.
const PATIENCE: Duration = Duration::from_mins(1);

impl Candidate {
    /// By another name, with one variable more or none.
    pub fn with(&self, name: &'static str, variable: Option<(&'static str, String)>) -> Self {
        let mut candidate = self.clone();
        candidate.name = name;
        candidate.environment.extend(variable);
        candidate
    }

    /// Process start to the first answer. What the driver itself does between the two phases does not count.
    pub fn cold_start(&self, event: &str, share: Option<&CpuShare>) -> io::Result<Duration> {
        let (mut running, started) = self.start(share)?;
        let connection = running.next()?;
        let init = started.elapsed();
        if let Some(share) = share {
            share.limit(true)?;
        }
        let asked = Instant::now();
        running.api.hand_over(connection, event)?;
        running.asking.clear();
        let response = running.response()?;
        let first = asked.elapsed();
        if let Some(share) = share {
            share.limit(false)?;
        }
        authorised(&response)?;
        Ok(init + first)
    }

    /// Starts it. It shares the cores of the thread that calls this.
    pub fn start(&self, share: Option<&CpuShare>) -> io::Result<(Running, Instant)> {
        let api = RuntimeApi::bind()?;
        let log = log(&format!("bench-{}-{}.log", process::id(), api.address()?.port()))?;
        // By way of this program, which joins the group, waits for the word, and becomes the candidate: so the clock
        // starts with the candidate alone, and no move between groups falls into its time.
        let mut command = Command::new(env::current_exe()?);
        command.arg("become").arg(share.map(CpuShare::join).unwrap_or_default()).args(&self.command);
        command.env_clear().current_dir(&self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("AWS_LAMBDA_RUNTIME_API", api.address()?.to_string());
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        let mut child = command.spawn()?;
        let mut word = child.stdin.take().expect("a pipe");
        std::thread::sleep(Duration::from_millis(20)); // until it waits
        let started = Instant::now();
        word.write_all(b"\n")?;
        Ok((Running { api, child, asking: Vec::new(), log }, started))
    }
}

/// What `become` does: the arguments are a file to write one's id to, or nothing, and a command.
pub fn become_candidate(arguments: &[OsString]) -> io::Error {
    let [group, program, arguments @ ..] = arguments else { return io::Error::other("no command") };
    if !group.is_empty()
        && let Err(error) = fs::write(group, process::id().to_string())
    {
        return error;
    }
    if let Err(error) = io::stdin().read_line(&mut String::new()) {
        return error;
    }
    Command::new(program).args(arguments).stdin(Stdio::null()).exec()
}

/// On tmpfs where there is one: no disk is measured. It goes with whoever has it open.
fn log(name: &str) -> io::Result<File> {
    let memory = Path::new("/dev/shm");
    let path = if memory.is_dir() { memory.join(name) } else { env::temp_dir().join(name) };
    let file = File::options().read(true).append(true).create_new(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

impl Running {
    /// Hands it an event so often, one at a time. Returns how long each took.
    pub fn requests(&mut self, event: &str, times: usize) -> io::Result<Vec<Duration>> {
        (0..times).map(|_| self.request(event).map(|(latency, _)| latency)).collect()
    }

    /// Hands it an event. Returns how long it took, and the answer.
    pub fn request(&mut self, event: &str) -> io::Result<(Duration, Vec<u8>)> {
        let connection = self.next()?;
        let started = Instant::now();
        self.api.hand_over(connection, event)?;
        self.asking.clear();
        let response = self.response()?;
        Ok((started.elapsed(), response))
    }

    /// Hands it events as fast as it asks for them. Returns how many it answered.
    pub fn flood(&mut self, event: &str, time: Duration) -> io::Result<u32> {
        let end = Instant::now() + time;
        let (mut answers, mut open) = (0, 0);
        for connection in std::mem::take(&mut self.asking) {
            self.api.hand_over(connection, event)?;
            open += 1;
        }
        loop {
            match self.message()? {
                Message::Next(connection) if Instant::now() < end => {
                    self.api.hand_over(connection, event)?;
                    open += 1;
                }
                Message::Next(connection) => self.asking.push(connection),
                Message::Response(_) => {
                    answers += u32::from(Instant::now() < end);
                    open -= 1;
                }
            }
            if open == 0 && Instant::now() >= end {
                return Ok(answers);
            }
        }
    }

    /// The CPU time that its threads have used so far, when it waits for an event again.
    pub fn cpu_time(&mut self) -> io::Result<Duration> {
        self.next()?;
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += schedstat.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory that it has had so far, in KiB.
    pub fn peak_memory(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kib.ok_or_else(|| io::Error::other("no VmHWM"))
    }

    /// Waits until it asks for an event.
    fn next(&mut self) -> io::Result<usize> {
        if let [connection, ..] = self.asking[..] {
            return Ok(connection);
        }
        match self.message()? {
            Message::Next(connection) => {
                self.asking.push(connection);
                Ok(connection)
            }
            Message::Response(_) => Err(io::Error::other("an answer that nobody waits for")),
        }
    }

    fn response(&mut self) -> io::Result<Vec<u8>> {
        match self.message()? {
            Message::Response(body) => Ok(body),
            Message::Next(_) => Err(io::Error::other("no answer, but a question")),
        }
    }

    fn message(&mut self) -> io::Result<Message> {
        self.api.message(PATIENCE).map_err(|error| {
            let mut log = String::new();
            _ = self.log.rewind().and_then(|()| self.log.read_to_string(&mut log));
            io::Error::other(format!("{error}. Its log says:\n{log}"))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Whether an answer is what an authorised caller gets, or the policy that lets it in.
pub fn authorised(response: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(response);
    let allowed = |answer: Value| answer["policyDocument"]["Statement"][0]["Effect"] == "Allow";
    if text.contains("Hello from a private endpoint!") || serde_json::from_slice(response).is_ok_and(allowed) {
        return Ok(());
    }
    Err(io::Error::other(format!("this is no authorised answer: {text}")))
}
