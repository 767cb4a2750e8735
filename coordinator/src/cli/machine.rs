//! What the machine has.

use std::fs::read_to_string;

/// Bytes of memory that this process and its children can have at most: the machine's, or less where a container is
/// given less. `None` where the system does not say.
pub fn memory() -> Option<u64> {
    let machine = total(&read_to_string("/proc/meminfo").ok()?)?;
    let container = read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    Some(container.map_or(machine, |limit: u64| machine.min(limit)))
}

/// Memory and swap space, of the text of `/proc/meminfo`.
fn total(meminfo: &str) -> Option<u64> {
    let kib = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    Some((kib("MemTotal:")?.saturating_add(kib("SwapTotal:").unwrap_or(0))).saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_read() {
        assert_eq!(super::total("MemTotal:     2 kB\nMemFree: 1 kB\nSwapTotal:  3 kB\n"), Some(5 * 1024));
        assert_eq!(super::total("nonsense"), None);
        assert!(super::memory().is_some_and(|bytes| bytes > 1 << 20));
    }
}
