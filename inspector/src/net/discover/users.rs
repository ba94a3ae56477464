//! User namespaces: a process may number users otherwise than we do, as those of rootless containers.

use std::fs;

/// The uid that stands for everybody whom a user namespace does not know.
const NO_NUMBER: u32 = 65534;

/// How the user namespace of a process numbers users.
#[derive(Debug)]
pub(in crate::net) struct Users(Vec<Range>);

/// The users from `inside` on are those from `outside` on, as we number them.
#[derive(Debug)]
struct Range {
    inside: u32,
    outside: u32,
    count: u32,
}

impl Users {
    /// `None` where that is as we do, or cannot be told.
    pub(in crate::net) fn of(pid: u32) -> Option<Self> {
        let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/user")).ok();
        let theirs = namespace(&pid.to_string())?;
        if namespace("self")? == theirs {
            return None;
        }
        let map = fs::read_to_string(format!("/proc/{pid}/uid_map")).ok()?;
        Some(Self(map.lines().filter_map(range).collect()))
    }

    /// Their number of a user of ours.
    pub(super) fn inside(&self, outside: u32) -> Option<u32> {
        let mut ranges = self.0.iter();
        ranges.find_map(|range| at(outside, range.outside, range.inside, range.count))
    }

    /// Our number of a user of theirs.
    pub(super) fn outside(&self, inside: u32) -> Option<u32> {
        let mut ranges = self.0.iter();
        ranges.find_map(|range| at(inside, range.inside, range.outside, range.count))
    }
}

/// Whether an owner is told by number: in a user namespace, ours, one number stands for all strangers.
pub(super) fn is_somebody(uid: u32) -> bool {
    uid != NO_NUMBER || {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        map.is_empty()
            || map
                .lines()
                .filter_map(range)
                .any(|range| range.count == u32::MAX)
    }
}

fn at(user: u32, from: u32, to: u32, count: u32) -> Option<u32> {
    let nth = user.checked_sub(from).filter(|nth| *nth < count)?;
    to.checked_add(nth)
}

/// A line of `/proc/PID/uid_map`.
fn range(line: &str) -> Option<Range> {
    let mut numbers = line.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Range {
        inside: next()?,
        outside: next()?,
        count: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_renumbered_both_ways() {
        let map = "         0       1000          1\n         1     100000      65536\nbroken\n";
        let users = Users(map.lines().filter_map(range).collect());
        for (inside, outside) in [(0, 1000), (1, 100_000), (1000, 100_999), (65_536, 165_535)] {
            assert_eq!(users.inside(outside), Some(inside));
            assert_eq!(users.outside(inside), Some(outside));
        }
        for nobody in [0, 999, 1001, 165_536] {
            assert_eq!(users.inside(nobody), None, "{nobody}");
        }
        assert_eq!(users.outside(65_537), None);
    }

    #[test]
    fn our_own_users_have_our_numbers() {
        assert!(Users::of(std::process::id()).is_none());
        assert!(is_somebody(0));
    }
}
