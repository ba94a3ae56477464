//! Containers as a test can make them: namespaces, and a root with a program, its libraries and nothing else, read-only
//! to the last directory. What a distroless image with `readOnlyRootFilesystem` is. Needs root, and `ip`.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::{Program, Room, User, wait_until};

/// Makes the root and becomes the program. `$1` is where the root is made, `$2` what becomes its `/dev/shm` (`-`: it has
/// none, `tmpfs`: one of its own), then the program and its arguments; `$LIBRARIES` are its libraries.
const ENTER: &str = r#"
set -e
root=$1 shm=$2 program=$3
shift 3
mount -t tmpfs -o mode=755 root "$root"
mkdir "$root/proc" "$root/app"
for library in $LIBRARIES; do
    mkdir -p "$root${library%/*}"
    touch "$root$library"
    mount --bind "$library" "$root$library"
done
touch "$root/app/${program##*/}"
mount --bind "$program" "$root/app/${program##*/}"
mount -t proc proc "$root/proc"
case $shm in
-) ;;
tmpfs) mkdir -p "$root/dev/shm" && mount -t tmpfs -o mode=1777 shm "$root/dev/shm" ;;
*) mkdir -p "$root/dev/shm" && mount --bind "$shm" "$root/dev/shm" ;;
esac
mount -o remount,bind,ro "$root"
ip link set lo up
exec chroot "$root" "/app/${program##*/}" "$@"
"#;

/// What a container's `/dev/shm` is.
#[derive(Clone, Copy, Debug)]
pub enum Shm<'a> {
    /// It has none: nowhere can be written.
    None,
    /// Its own, as every container runtime makes it.
    Own,
    /// One that it shares with others: the containers of a pod do.
    Of(&'a Path),
}

/// A program in mount, PID and network namespaces of its own.
#[derive(Debug)]
pub struct Container {
    program: Program,
    pid: u32,
    _root: tempfile::TempDir,
}

impl Container {
    /// Starts a program and waits until it prints a line with `ready` in it. The variables are the only ones it gets.
    ///
    /// # Panics
    /// It does not start: without root no namespaces can be made.
    pub fn start(
        room: &Room,
        program: &Path,
        shm: Shm<'_>,
        variables: &[(&str, &str)],
        ready: &str,
    ) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let command = room.command("unshare");
        Self::enter(room, command, root, program, shm, variables, ready)
    }

    /// As [`Self::start`], as a user without rights starts one: in a user namespace, where that user is root. The
    /// program is one that the user may read.
    ///
    /// # Panics
    /// It does not start: not everywhere a user may make a namespace.
    pub fn rootless(room: &Room, user: &User, program: &Path, shm: Shm<'_>, ready: &str) -> Self {
        let root = user.dir();
        let mut command = user.command(room, "unshare");
        command.args(["--user", "--map-root-user"]);
        Self::enter(room, command, root, program, shm, &[], ready)
    }

    fn enter(
        room: &Room,
        mut command: Command,
        root: tempfile::TempDir,
        program: &Path,
        shm: Shm<'_>,
        variables: &[(&str, &str)],
        ready: &str,
    ) -> Self {
        command
            .args(["--mount", "--pid", "--net", "--fork", "--kill-child"])
            .args(["--", "sh", "-c", ENTER, "sh"])
            .arg(root.path());
        match shm {
            Shm::None => command.arg("-"),
            Shm::Own => command.arg("tmpfs"),
            Shm::Of(dir) => command.arg(dir),
        };
        command
            .arg(program)
            .env("LIBRARIES", libraries(program))
            .envs(variables.iter().copied());
        let program = room.start(command, ready);
        let pid = child(program.pid());
        Self {
            program,
            pid,
            _root: root,
        }
    }

    /// The program's PID as the machine counts it; its own is 1.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The program and what it prints.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// A port of this machine that leads to one of the container's loopback, as `kubectl port-forward` makes it: both
    /// ends are opened where they are, and bytes copied between.
    ///
    /// # Panics
    /// No port can be had.
    pub fn forward(&self, port: u16) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let at = listener.local_addr().expect("a bound socket");
        let network = fs::File::open(format!("/proc/{}/ns/net", self.pid)).expect("its network");
        thread::spawn(move || {
            for outside in listener.incoming().map_while(Result::ok) {
                let network = network.try_clone().expect("a descriptor");
                thread::spawn(move || {
                    enter_network(&network);
                    let inside = TcpStream::connect(("127.0.0.1", port));
                    inside.and_then(|inside| join(&outside, &inside))
                });
            }
        });
        at
    }
}

/// The program that `unshare` forked.
fn child(unshare: u32) -> u32 {
    wait_until("its child", Duration::from_secs(10), || {
        let children = format!("/proc/{unshare}/task/{unshare}/children");
        fs::read_to_string(children).ok()?.trim().parse().ok()
    })
}

/// The libraries that the loader would take, with blanks between.
fn libraries(program: &Path) -> String {
    let listed = Command::new("ldd")
        .arg(program)
        .output()
        .expect("ldd starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .filter(|path| path.exists());
    let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
    paths.join(" ")
}

/// Moves this thread into a network namespace. For good: it ends with its connection.
#[expect(unsafe_code, reason = "changing the namespace of a thread")]
fn enter_network(network: &fs::File) {
    // SAFETY: setns has no preconditions; the descriptor is open.
    let entered = unsafe { libc::setns(network.as_raw_fd(), libc::CLONE_NEWNET) };
    assert_eq!(entered, 0, "{}", io::Error::last_os_error());
}

/// Copies both ways until both ends are closed.
fn join(outside: &TcpStream, inside: &TcpStream) -> io::Result<()> {
    thread::scope(|scope| {
        let back = scope.spawn(|| pour(inside, outside));
        pour(outside, inside)?;
        back.join().expect("copying does not panic")
    })
}

fn pour(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    let copied = io::copy(&mut from, &mut to).map(drop);
    // The other side may have closed it already.
    let _ = to.shutdown(std::net::Shutdown::Write);
    copied
}
