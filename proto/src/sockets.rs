//! Where targets put their sockets and how they name them, so that viewers find them.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Directories that every user may write to. The last is there, and writable, in containers whose root is read-only
/// and that have no temporary directory; the containers of one pod share it.
pub const SHARED_DIRS: [&str; 2] = ["/tmp", "/dev/shm"];

/// The directories that may hold the sockets of a user, best first: a target takes the first it can make,
/// a viewer looks into all.
///
/// `$XDG_RUNTIME_DIR/pollscope`, `/run/user/UID/pollscope`, `$TMPDIR/pollscope-UID`, `/tmp/pollscope-UID`,
/// `/dev/shm/pollscope-UID`; relative values of the variables are ignored, as their specification asks. `env` looks a
/// variable up.
///
/// ```
/// use pollscope_proto::sockets::socket_dirs;
/// let dirs = socket_dirs(1000, |_| None);
/// assert_eq!(dirs[0], std::path::Path::new("/run/user/1000/pollscope"));
/// ```
pub fn socket_dirs(uid: u32, env: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    let in_tmp = format!("pollscope-{uid}");
    let told = [
        absolute("XDG_RUNTIME_DIR").map(|dir| dir.join("pollscope")),
        Some(PathBuf::from(format!("/run/user/{uid}/pollscope"))),
        absolute("TMPDIR").map(|dir| dir.join(&in_tmp)),
    ];
    let shared = SHARED_DIRS.map(|dir| Path::new(dir).join(&in_tmp));
    let mut dirs = Vec::with_capacity(told.len() + shared.len());
    for dir in told.into_iter().flatten().chain(shared) {
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs
}

/// The file name of a socket: `PID-STARTTIME.sock`, and `PID-STARTTIME.2.sock` for a second copy of pollscope
/// in one process.
///
/// ```
/// use pollscope_proto::sockets::SocketName;
/// let name: SocketName = "4821-99120.sock".parse().unwrap();
/// assert_eq!((name.pid, name.start_time), (4821, 99120));
/// assert_eq!(name.to_string(), "4821-99120.sock");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketName {
    /// The process, as its own PID namespace numbers it.
    pub pid: u32,
    /// When the process started, in clock ticks after boot: field 22 of `/proc/PID/stat`. Tells two
    /// processes with one pid apart.
    pub start_time: u64,
    /// 1 for the first copy of pollscope in the process; other copies count up.
    pub copy: u32,
}

impl SocketName {
    /// The name of the first socket of a process.
    pub const fn new(pid: u32, start_time: u64) -> Self {
        Self {
            pid,
            start_time,
            copy: 1,
        }
    }
}

impl fmt::Display for SocketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.start_time)?;
        if self.copy != 1 {
            write!(f, ".{}", self.copy)?;
        }
        f.write_str(".sock")
    }
}

/// The file is not the socket of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASocketName;

impl fmt::Display for NotASocketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not of the form PID-STARTTIME.sock")
    }
}

impl std::error::Error for NotASocketName {}

impl FromStr for SocketName {
    type Err = NotASocketName;

    fn from_str(name: &str) -> Result<Self, NotASocketName> {
        let parse = || {
            let stem = name.strip_suffix(".sock")?;
            let (stem, copy) = match stem.split_once('.') {
                Some((stem, copy)) => (stem, copy.parse().ok()?),
                None => (stem, 1),
            };
            let (pid, start_time) = stem.split_once('-')?;
            Some(Self {
                pid: pid.parse().ok()?,
                start_time: start_time.parse().ok()?,
                copy,
            })
        };
        // Written again it must be the same: `007-1.sock` and `+7-1.sock` are nobody's.
        parse()
            .filter(|parsed| parsed.to_string() == name)
            .ok_or(NotASocketName)
    }
}

/// Field 22 of the text of `/proc/PID/stat`: when the process started, in clock ticks after boot.
///
/// The name of the process, field 2, may hold blanks and brackets: fields are counted from its last `)`.
pub fn start_time(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn directories_come_best_first_and_once() {
        let dirs = socket_dirs(7, |name| match name {
            "XDG_RUNTIME_DIR" => Some("/run/user/7".into()),
            "TMPDIR" => Some("/var/tmp".into()),
            _ => None,
        });
        let expected: Vec<_> = [
            "/run/user/7/pollscope",
            "/var/tmp/pollscope-7",
            "/tmp/pollscope-7",
            "/dev/shm/pollscope-7",
        ]
        .map(PathBuf::from)
        .into();
        assert_eq!(dirs, expected);
    }

    #[test]
    fn relative_directories_are_ignored() {
        let dirs = socket_dirs(7, |_| Some("here".into()));
        let expected: Vec<_> = [
            "/run/user/7/pollscope",
            "/tmp/pollscope-7",
            "/dev/shm/pollscope-7",
        ]
        .map(PathBuf::from)
        .into();
        assert_eq!(dirs, expected);
    }

    #[test]
    fn start_time_survives_hostile_names() {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(start_time(&format!("9 (a b) c)) {tail}")), Some(4242));
        assert_eq!(start_time("9 (a"), None);
        let own = std::fs::read_to_string("/proc/self/stat").unwrap();
        assert!(start_time(&own).is_some());
    }

    #[test]
    fn only_our_names_parse() {
        for name in [
            "",
            "x.sock",
            "1-2",
            "1-2.sock.sock",
            "01-2.sock",
            "+1-2.sock",
            "1-2.1.sock",
            "1--2.sock",
            "99999999999-1.sock",
        ] {
            assert_eq!(name.parse::<SocketName>(), Err(NotASocketName), "{name}");
        }
    }

    proptest! {
        #[test]
        fn names_round_trip(pid: u32, start_time: u64, copy: u32) {
            let name = SocketName { pid, start_time, copy };
            prop_assert_eq!(name.to_string().parse::<SocketName>(), Ok(name));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = text.parse::<SocketName>();
            let _ = start_time(&text);
        }
    }
}
