use std::path::{Path, PathBuf};

use serde::Serialize;

/// What memory this process can have, in bytes, as Linux tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Of the machine.
    pub total: u64,
    /// What may still be taken without swapping: the machine's, or what the control group has left
    /// where that is less.
    pub available: u64,
    /// The smallest limit of the control groups this process is in (a container's); `None` without one.
    pub limit: Option<u64>,
}

impl Memory {
    /// As it is now; `None` where the system does not tell in `/proc`.
    pub fn here() -> Option<Self> {
        Self::under(Path::new("/"))
    }

    /// The same with the files of another root.
    pub(crate) fn under(root: &Path) -> Option<Self> {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
        let meminfo = read("proc/meminfo")?;
        let total = kibibytes(&meminfo, "MemTotal")?;
        let available = kibibytes(&meminfo, "MemAvailable")?;
        let groups = groups(&read("proc/self/cgroup").unwrap_or_default());
        let mut memory = Self { total, available, limit: None };
        for group in groups {
            let Some((limit, used)) = group.read(root) else { continue };
            // No limit is written as a number beyond all memory.
            if limit < total {
                memory.limit = Some(memory.limit.map_or(limit, |least| least.min(limit)));
                memory.available = memory.available.min(limit.saturating_sub(used));
            }
        }
        Some(memory)
    }
}

/// A control group's folder below the root, and what its files are called.
struct Group {
    folder: PathBuf,
    limit: &'static str,
    used: &'static str,
    /// The line of `memory.stat` that counts what is only kept because nobody else wants it.
    spare: &'static str,
}

impl Group {
    /// Limit and use.
    fn read(&self, root: &Path) -> Option<(u64, u64)> {
        let text = |file: &str| std::fs::read_to_string(root.join(&self.folder).join(file)).ok();
        let number = |file: &str| text(file)?.trim().parse::<u64>().ok();
        let (limit, used) = (number(self.limit)?, number(self.used)?);
        let stat = text("memory.stat").unwrap_or_default();
        let spare = stat.lines().find_map(|line| {
            let (name, count) = line.split_once(' ')?;
            (name == self.spare).then(|| count.trim().parse::<u64>().ok()).flatten()
        });
        Some((limit, used.saturating_sub(spare.unwrap_or(0))))
    }
}

/// The groups of `/proc/self/cgroup` that count memory, each with all above it. A container often
/// sees its own group as the root, whatever the file says, hence all levels.
fn groups(list: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for line in list.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (base, limit, used, spare) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
            named if named.split(',').any(|name| name == "memory") => (
                "sys/fs/cgroup/memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            ),
            _ => continue,
        };
        for above in Path::new(path.trim_start_matches('/')).ancestors() {
            groups.push(Group { folder: Path::new(base).join(above), limit, used, spare });
        }
    }
    groups
}

/// `MemTotal:  16384 kB`, where kB means KiB.
fn kibibytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       1000 kB\nMemFree:  5 kB\nMemAvailable:    800 kB\n";

    fn machine(files: &[(&str, &str)]) -> Option<Memory> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Memory::under(root.path())
    }

    #[test]
    fn without_groups_the_machine_counts() {
        let memory = machine(&[("proc/meminfo", MEMINFO)]).unwrap();
        assert_eq!(memory, Memory { total: 1_024_000, available: 819_200, limit: None });
        assert_eq!(machine(&[]), None);
        assert_eq!(machine(&[("proc/meminfo", "MemTotal: many\n")]), None);
    }

    #[test]
    fn the_tightest_group_counts_without_what_it_could_give_back() {
        let memory = machine(&[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/outer/inner\n"),
            ("sys/fs/cgroup/outer/inner/memory.max", "max\n"),
            ("sys/fs/cgroup/outer/inner/memory.current", "100\n"),
            ("sys/fs/cgroup/outer/memory.max", "500000\n"),
            ("sys/fs/cgroup/outer/memory.current", "400000\n"),
            ("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 50000\n"),
        ]);
        let expected = Memory { total: 1_024_000, available: 150_000, limit: Some(500_000) };
        assert_eq!(memory, Some(expected));
    }

    #[test]
    fn groups_of_the_first_version_are_read_too() {
        let files = |limit: &'static str| {
            machine(&[
                ("proc/meminfo", MEMINFO),
                ("proc/self/cgroup", "4:cpu,memory:/job\n0::/\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", limit),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "300000"),
                ("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 100000\n"),
            ])
            .unwrap()
        };
        assert_eq!(files("600000\n").available, 400_000);
        assert_eq!(files("9223372036854771712\n").limit, None);
        // More used than allowed, as while a limit is lowered.
        assert_eq!(files("100000\n").available, 0);
    }
}
