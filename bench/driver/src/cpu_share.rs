//! A memory size -> the share of a core that Lambda gives, enforced by a cgroup (v1 or v2, as root).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

/// A group of processes. At first they run at full speed, as in the init phase; dropping it takes it away.
pub struct CpuShare {
    folder: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Lambda gives a whole core for 1,769 MB, and less in proportion, in periods of 20 ms.
const MEMORY: u64 = 128;
const MEMORY_OF_A_CORE: u64 = 1_769;
const PERIOD: u64 = 20_000; // µs
const QUOTA: u64 = PERIOD * MEMORY / MEMORY_OF_A_CORE;

const NAME: &str = "api-authorization-bench-";

impl CpuShare {
    /// A new group.
    ///
    /// # Errors
    /// Where there are no cgroups, or none that this user may make.
    pub fn new() -> io::Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let (parent, version) = if root.join("cpu/cgroup.procs").exists() {
            (root.join("cpu"), Version::One)
        } else if root.join("cgroup.controllers").exists() {
            fs::write(root.join("cgroup.subtree_control"), "+cpu")?;
            (root.to_owned(), Version::Two)
        } else {
            return Err(io::Error::other("no cgroups at /sys/fs/cgroup"));
        };
        // What a run that was interrupted has left. A group with processes in it cannot be removed.
        for left in fs::read_dir(&parent)?.flatten().filter(|left| left.file_name().to_string_lossy().starts_with(NAME))
        {
            _ = fs::remove_dir(left.path());
        }
        let folder = parent.join(format!("{NAME}{}", process::id()));
        fs::create_dir(&folder)?;
        let share = Self { folder, version };
        if version == Version::One {
            share.write("cpu.cfs_period_us", &PERIOD.to_string())?;
        }
        share.limit(true)?;
        share.limit(false)?;
        Ok(share)
    }

    /// The file that a process writes its id to.
    pub fn join(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// Begins what comes after the init phase, or ends it.
    pub fn limit(&self, limited: bool) -> io::Result<()> {
        match (self.version, limited) {
            (Version::One, true) => self.write("cpu.cfs_quota_us", &QUOTA.to_string()),
            (Version::One, false) => self.write("cpu.cfs_quota_us", "-1"),
            (Version::Two, true) => self.write("cpu.max", &format!("{QUOTA} {PERIOD}")),
            (Version::Two, false) => self.write("cpu.max", &format!("max {PERIOD}")),
        }
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), text)
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        _ = fs::remove_dir(&self.folder);
    }
}
