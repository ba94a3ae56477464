//! Addresses of targets, and what the TARGET of a command line means.

use std::fmt;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::discover::{self, Process};
use super::{NetError, passwd};

/// Where a target listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// A socket of this machine.
    Unix(PathBuf),
    /// `HOST:PORT`.
    Tcp(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A path may hold anything.
            Self::Unix(path) => write!(f, "unix:{}", super::clean(&path.to_string_lossy(), 4096)),
            Self::Tcp(host_port) => f.write_str(host_port),
        }
    }
}

impl FromStr for Address {
    type Err = NetError;

    /// Reads `unix:PATH`, `HOST:PORT` and `http://HOST:PORT`. Asks nobody.
    fn from_str(text: &str) -> Result<Self, NetError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() {
                return Ok(Self::Unix(path.into()));
            }
        }
        if text.starts_with("https://") {
            return Err(NetError::Unsupported(
                "https is not supported yet: forward the port, `ssh -L 6670:127.0.0.1:6670 HOST`, and attach to 127.0.0.1:6670".to_owned(),
            ));
        }
        let host_port = text.strip_prefix("http://").unwrap_or(text);
        let host_port = host_port.strip_suffix('/').unwrap_or(host_port);
        match host_port.rsplit_once(':') {
            Some((host, port))
                if is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0) =>
            {
                Ok(Self::Tcp(host_port.to_owned()))
            }
            _ => Err(unknown(
                text,
                "a target is a PID, HOST:PORT or unix:PATH; `pollscope ps` lists what is here, `pollscope help` the commands",
            )),
        }
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    if let Some(v6) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return v6.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Finds what the TARGET of a command line means: PID, HOST:PORT, http://…, unix:PATH, or the path of a socket.
///
/// # Errors
/// Says why there is no such target, or why it cannot be reached by this user.
pub fn locate(target: &str) -> Result<Address, NetError> {
    if let Ok(pid) = target.parse::<u32>() {
        return of_process(pid);
    }
    let path = Path::new(target);
    match fs::metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => return Ok(Address::Unix(path.to_owned())),
        Ok(meta) if meta.is_file() => {
            return Err(NetError::Unsupported(format!(
                "{}: opening recordings is not supported yet",
                super::clean(target, 256)
            )));
        }
        _ => {}
    }
    target.parse()
}

fn of_process(pid: u32) -> Result<Address, NetError> {
    let found = discover::sockets_of(pid);
    if let Some(socket) = found.into_iter().next() {
        return Ok(Address::Unix(socket));
    }
    let Some(process) = Process::read(pid) else {
        return Err(unknown(&pid.to_string(), "no process has this PID"));
    };
    let own = discover::own_uid();
    if own != 0 && process.uid != own {
        let inside = discover::Users::of(pid).is_some();
        let instead = if inside {
            ", or inside its user namespace, as `podman unshare pollscope` does"
        } else {
            ""
        };
        return Err(NetError::Denied {
            what: format!("process {pid} ({})", process.name),
            why: format!(
                "it belongs to {}: run pollscope as that user or as root{instead}",
                passwd::user_name(process.uid)
            ),
        });
    }
    if !discover::can_be_looked_into(pid) {
        return Err(NetError::Denied {
            what: format!("process {pid} ({})", process.name),
            why: "its files cannot be seen from here: run pollscope as its user, or as root with CAP_SYS_PTRACE"
                .to_owned(),
        });
    }
    let why = match told_port(pid) {
        Some((at, true)) => format!(
            "{} has no socket; it was started with POLLSCOPE_BIND={at}: attach to {at}",
            process.name
        ),
        Some((at, false)) => format!(
            "{} has no socket; it was started with POLLSCOPE_BIND={at} in a network namespace of its own: forward that port and attach to it",
            process.name
        ),
        None => format!(
            "{} is not instrumented, or has no socket; a program is once it calls pollscope::init() or carries #[pollscope::main]",
            process.name
        ),
    };
    Err(unknown(&pid.to_string(), &why))
}

/// Where a process was told to listen on TCP, and whether that is our network, too.
fn told_port(pid: u32) -> Option<(String, bool)> {
    let told = discover::variable(&discover::environment(pid), "POLLSCOPE_BIND")?;
    let told = told.to_str().filter(|told| !told.is_empty())?;
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    let ours = network("self") == network(&pid.to_string());
    Some((super::clean(told, 100), ours))
}

fn unknown(target: &str, why: &str) -> NetError {
    NetError::NoTarget {
        target: super::clean(target, 256),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in [
            "unix:/run/a b.sock",
            "127.0.0.1:6670",
            "[::1]:1",
            "host-1.example:80",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let tcp = Address::Tcp("localhost:6670".to_owned());
        assert_eq!("http://localhost:6670/".parse::<Address>().unwrap(), tcp);
        let unix = Address::Unix("/a".into());
        assert_eq!("unix:///a".parse::<Address>().unwrap(), unix);
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for (text, code) in [
            ("", 3),
            ("unix:", 3),
            ("host", 3),
            ("host:", 3),
            (":80", 3),
            ("host:0", 3),
            ("host:99999", 3),
            ("a b:80", 3),
            ("::1:80", 3),
            ("https://host:1", 4),
            ("\x1b[31m", 3),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.exit_code(), code, "{text}: {error}");
            assert!(!error.to_string().contains(['\n', '\x1b']));
        }
    }

    #[test]
    fn files_that_are_no_sockets_are_no_targets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = locate(file.path().to_str().unwrap()).unwrap_err();
        assert!(error.to_string().contains("recordings"), "{error}");
        assert_eq!(locate("4294967295").unwrap_err().exit_code(), 3);
    }
}
