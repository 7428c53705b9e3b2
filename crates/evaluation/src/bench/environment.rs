//! The machine while it was measured, as the system tells (`/proc`, `/sys` on Linux; elsewhere most
//! is unknown).

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What was noted of the machine. `None` where the system does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The frequency governors of the processors, each once, in order of the alphabet; empty where
    /// there are none, as on most virtual machines.
    pub governors: Vec<String>,
    /// Processors that a control group grants (2.5 for 250 ms in 100 ms).
    pub cpu_quota: Option<f64>,
    /// Share of the processors' time that other programs used, 0 to 1.
    pub others: Option<f64>,
    /// Share of the processors' time that the host withheld from this virtual machine, 0 to 1.
    pub stolen: Option<f64>,
    /// Times the control group stopped this program because its quota was used up.
    pub throttled: Option<u64>,
    /// Pages that were read back from swap.
    pub swapped: Option<u64>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// Names of NVIDIA GPUs.
    pub gpus: Vec<String>,
    /// The NVIDIA driver's line about its version.
    pub gpu_driver: Option<String>,
    /// Whether this program was built without optimization.
    pub debug: bool,
}

/// Something about the machine that makes figures worse or less stable; shown as a sentence with
/// what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EnvironmentWarning {
    /// A governor that changes the frequency.
    #[error(
        "the processors' frequency governor is '{0}', so that their speed depends on what ran before; \
         set it to 'performance' (cpupower frequency-set -g performance) and measure again"
    )]
    Governor(String),
    /// Other programs worked beside.
    #[error(
        "other programs used {:.0}% of the processors meanwhile; stop them, or measure on a machine \
         of its own", 100.0 * .0
    )]
    Others(f64),
    /// The host withheld time.
    #[error(
        "the host withheld {:.1}% of this virtual machine's processor time; measure on a dedicated \
         machine, or say that production shares too", 100.0 * .0
    )]
    Stolen(f64),
    /// The quota was used up.
    #[error(
        "the container was stopped {times} times because its quota of {quota:.1} processors was used \
         up; raise the quota or use no more threads than it grants"
    )]
    Throttled {
        /// How often.
        times: u64,
        /// Processors granted.
        quota: f64,
    },
    /// Memory was short.
    #[error(
        "{0} pages came back from swap meanwhile; free some memory, or measure with fewer candidates \
         or a smaller batch"
    )]
    Swapped(u64),
    /// No optimization.
    #[error(
        "this program was built without optimization; its times say nothing: build with --release"
    )]
    Debug,
}

/// Share of processor time used by others, or withheld, above which it is told.
const NOTABLE: f64 = 0.05;
/// As above, of time withheld: it comes in pieces that the tail shows.
const NOTABLE_STOLEN: f64 = 0.01;

impl Environment {
    /// What advises to measure again, or to trust the figures less.
    pub fn warnings(&self) -> Vec<EnvironmentWarning> {
        let mut warnings = Vec::new();
        if self.debug {
            warnings.push(EnvironmentWarning::Debug);
        }
        if let Some(governor) = self.governors.iter().find(|name| *name != "performance") {
            warnings.push(EnvironmentWarning::Governor(governor.clone()));
        }
        if let Some(others) = self.others.filter(|share| *share > NOTABLE) {
            warnings.push(EnvironmentWarning::Others(others));
        }
        if let Some(stolen) = self.stolen.filter(|share| *share > NOTABLE_STOLEN) {
            warnings.push(EnvironmentWarning::Stolen(stolen));
        }
        if let (Some(times), Some(quota)) = (self.throttled.filter(|&n| n > 0), self.cpu_quota) {
            warnings.push(EnvironmentWarning::Throttled { times, quota });
        }
        if let Some(pages) = self.swapped.filter(|&pages| pages > 0) {
            warnings.push(EnvironmentWarning::Swapped(pages));
        }
        warnings
    }
}

/// Watches the machine from its start to [`Watch::end`].
#[derive(Clone, Debug)]
pub struct Watch(Counters);

impl Watch {
    /// Begins to watch.
    pub fn start() -> Self {
        Self(Counters::read(Path::new("/")))
    }

    /// What was noted since the start.
    pub fn end(&self) -> Environment {
        let root = Path::new("/");
        environment(root, &self.0, &Counters::read(root))
    }
}

/// The most memory this process has held, in bytes; `None` where the system does not tell.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    kibibytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// How long ago this process started, to a hundredth of a second; `None` where the system does not
/// tell. Read when the first score is there, it is the cold start.
pub fn process_age() -> Option<Duration> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    age(&uptime, &stat)
}

/// Linux counts processes' times in hundredths of a second on every architecture we build for.
const TICKS: f64 = 100.0;

fn age(uptime: &str, stat: &str) -> Option<Duration> {
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    // The 22nd field is the start.
    let start: f64 = after_name(stat).nth(19)?.parse().ok()?;
    Duration::try_from_secs_f64((uptime - start / TICKS).max(0.0)).ok()
}

/// The fields of `/proc/self/stat` from the third on: the second is a name in brackets and may hold
/// spaces.
fn after_name(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace()
}

#[derive(Clone, Debug, Default)]
struct Counters {
    /// Ticks of all processors together: all, idle, stolen.
    machine: Option<[u64; 3]>,
    /// Ticks of this process.
    own: Option<u64>,
    throttled: Option<u64>,
    swapped: Option<u64>,
}

impl Counters {
    fn read(root: &Path) -> Self {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        Self {
            machine: machine_ticks(&read("proc/stat")),
            own: own_ticks(&read("proc/self/stat")),
            throttled: named(&read("sys/fs/cgroup/cpu.stat"), "nr_throttled"),
            swapped: named(&read("proc/vmstat"), "pswpin"),
        }
    }
}

/// `cpu user nice system idle iowait irq softirq steal guest guest_nice`; guests are in user.
fn machine_ticks(stat: &str) -> Option<[u64; 3]> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let stolen = ticks.get(7).copied().unwrap_or(0);
    Some([ticks.iter().take(8).sum(), ticks.get(3)? + ticks.get(4)?, stolen])
}

/// User and system time: the 14th and 15th fields.
fn own_ticks(stat: &str) -> Option<u64> {
    let mut ticks = after_name(stat).skip(11).map(str::parse::<u64>);
    Some(ticks.next()?.ok()? + ticks.next()?.ok()?)
}

/// `name value`, a line each.
fn named(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        (key == name).then(|| value.trim().parse().ok()).flatten()
    })
}

fn environment(root: &Path, before: &Counters, after: &Counters) -> Environment {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let since = |after: Option<u64>, before: Option<u64>| Some(after?.saturating_sub(before?));
    let machine = before.machine.zip(after.machine).and_then(|(before, after)| {
        let [all, idle, stolen] = [0, 1, 2].map(|place| after[place].saturating_sub(before[place]));
        (all > 0).then_some((all, idle, stolen))
    });
    let others = machine.zip(since(after.own, before.own)).map(|((all, idle, stolen), own)| {
        all.saturating_sub(idle).saturating_sub(stolen).saturating_sub(own) as f64 / all as f64
    });
    Environment {
        governors: governors(root),
        cpu_quota: read("sys/fs/cgroup/cpu.max").and_then(|text| quota(&text)),
        others,
        stolen: machine.map(|(all, _, stolen)| stolen as f64 / all as f64),
        throttled: since(after.throttled, before.throttled),
        swapped: since(after.swapped, before.swapped),
        kernel: read("proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
        gpus: gpus(root),
        gpu_driver: read("proc/driver/nvidia/version")
            .and_then(|text| Some(text.lines().next()?.trim().to_owned())),
        debug: cfg!(debug_assertions),
    }
}

/// `250000 100000`, or `max 100000` without a quota.
fn quota(text: &str) -> Option<f64> {
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let (granted, period) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (period > 0.0).then_some(granted / period)
}

fn governors(root: &Path) -> Vec<String> {
    each(root, "sys/devices/system/cpu", "cpufreq/scaling_governor", |text| {
        Some(text.trim().to_owned())
    })
}

fn gpus(root: &Path) -> Vec<String> {
    let mut all = each(root, "proc/driver/nvidia/gpus", "information", |text| {
        Some(text.lines().find_map(|line| line.strip_prefix("Model:"))?.trim().to_owned())
    });
    all.retain(|name| !name.is_empty());
    all
}

/// What a file says in each folder of a folder, each once.
fn each(root: &Path, folder: &str, file: &str, of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join(file)).ok());
    let mut all: Vec<String> = texts.filter_map(|text| of(&text)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn notes_what_the_system_tells() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let own = |user, system| format!("7 (a name) R 1 1 1 0 -1 0 0 0 0 0 {user} {system} 0 0");
        write(root, "proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n");
        write(root, "proc/self/stat", &own(50, 10));
        write(root, "proc/vmstat", "pswpin 5\npswpout 9\n");
        write(root, "sys/fs/cgroup/cpu.stat", "usage_usec 3\nnr_throttled 4\n");
        let before = Counters::read(root);
        write(root, "proc/stat", "cpu  500 0 200 1200 50 0 0 50 0 0\n");
        write(root, "proc/self/stat", &own(250, 60));
        write(root, "proc/vmstat", "pswpin 17\n");
        write(root, "sys/fs/cgroup/cpu.stat", "nr_throttled 6\n");
        write(root, "sys/fs/cgroup/cpu.max", "250000 100000\n");
        write(root, "proc/sys/kernel/osrelease", "6.1.0\n");
        for (cpu, governor) in
            [("cpu0", "powersave"), ("cpu1", "performance"), ("cpu2", "powersave")]
        {
            let path = format!("sys/devices/system/cpu/{cpu}/cpufreq/scaling_governor");
            write(root, &path, &format!("{governor}\n"));
        }
        write(root, "proc/driver/nvidia/gpus/0000:01/information", "Model: \t NVIDIA X\nIRQ: 1\n");
        write(root, "proc/driver/nvidia/version", "NVRM version: 1.2\nGCC\n");
        let found = environment(root, &before, &Counters::read(root));
        // 1,000 ticks: 450 idle, 50 stolen, 250 ours, 250 others'.
        assert_eq!(found.others, Some(0.25));
        assert_eq!(found.stolen, Some(0.05));
        assert_eq!(
            (found.throttled, found.swapped, found.cpu_quota),
            (Some(2), Some(12), Some(2.5))
        );
        assert_eq!(found.governors, ["performance", "powersave"]);
        assert_eq!(
            (found.gpus, found.kernel.unwrap()),
            (vec!["NVIDIA X".to_owned()], "6.1.0".to_owned())
        );
        assert_eq!(found.gpu_driver.as_deref(), Some("NVRM version: 1.2"));
    }

    #[test]
    fn a_system_that_tells_nothing_gives_no_warning() {
        let folder = tempfile::tempdir().unwrap();
        let silent = Counters::read(folder.path());
        let found = Environment { debug: false, ..environment(folder.path(), &silent, &silent) };
        assert_eq!(found, Environment::default());
        assert_eq!(found.warnings(), []);
        assert_eq!(
            (quota("max 100000"), machine_ticks("cpu  x y"), own_ticks("no")),
            (None, None, None)
        );
    }

    #[test]
    fn each_warning_advises() {
        let bad = Environment {
            governors: vec!["performance".to_owned(), "powersave".to_owned()],
            cpu_quota: Some(2.5),
            others: Some(0.25),
            stolen: Some(0.02),
            throttled: Some(3),
            swapped: Some(12),
            debug: true,
            ..Environment::default()
        };
        let told: Vec<String> = bad.warnings().iter().map(ToString::to_string).collect();
        let expected = ["--release", "'powersave'", "25% of", "2.0% of", "3 times", "12 pages"];
        assert_eq!(told.len(), expected.len());
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told}");
        }
        let good = Environment {
            governors: vec!["performance".to_owned()],
            others: Some(0.04),
            stolen: Some(0.0),
            throttled: Some(0),
            swapped: Some(0),
            ..Environment::default()
        };
        assert_eq!(good.warnings(), []);
    }

    #[test]
    fn a_process_knows_its_age() {
        let stat = "7 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 99000 0 0";
        assert_eq!(age("1000.50 3.0\n", stat), Some(Duration::from_millis(10_500)));
        assert_eq!(age("", stat), None);
    }
}
