//! Programs in containers: a root that nobody can write to, numbers that mean something else outside, a loopback of
//! their own. In namespaces that the tests make, so they need root: `cargo test --workspace --test containers -- --ignored`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pollscope_tests::{Container, Output, Room, Screen, Shm, User, inspector, wait_until};
use portable_pty::CommandBuilder;
use serde_json::Value;

const HUNG: &str = env!("CARGO_BIN_EXE_hung");
const PORT: &str = "127.0.0.1:6670";

fn hung(room: &Room, shm: Shm<'_>, variables: &[(&str, &str)]) -> Container {
    // Built before any clock starts.
    inspector();
    Container::start(room, Path::new(HUNG), shm, variables, "ready")
}

/// The row of a container's program, as the list shows it.
fn listed(room: &Room, container: &Container) -> Value {
    wait_until("it is listed", Duration::from_secs(20), || {
        let rows = room.json(&["ps", "--json"]);
        let mut rows = rows.as_array()?.iter();
        rows.find(|row| row["pid"] == container.pid()).cloned()
    })
}

/// Asks until the report tells of the hang, with the names of the program's functions.
fn assert_explained(room: &Room, target: &str) -> Value {
    wait_until("the hang is named", Duration::from_secs(60), || {
        let report = room.json(&["report", target, "--json"]);
        let warnings = report["warnings"].as_array()?;
        let slow = warnings.iter().find(|warning| {
            warning["kind"] == "slow_poll"
                && warning["observed"]["backtrace"]
                    .to_string()
                    .contains("hung::hang")
        });
        slow.is_some().then_some(report)
    })
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn a_read_only_root_without_a_place_for_a_socket() {
    let room = Room::new();
    let mut container = hung(&room, Shm::None, &[("POLLSCOPE_BIND", PORT)]);
    let forwarded = container.forward(6670).to_string();

    // The program runs, and TCP answers, through a port-forward: its loopback is not ours.
    let report = assert_explained(&room, &forwarded);
    assert_eq!(report["target"]["rights"], "read");
    let direct = room.pollscope(&["report", PORT]);
    assert_eq!(direct.code(), 3, "{direct:?}");

    // One line says why there is no socket, and no other line comes.
    let printed = container.program().printed();
    let said: Vec<_> = printed
        .iter()
        .filter(|line| line.contains("no socket to attach to"))
        .collect();
    assert_eq!(said.len(), 1, "{printed:#?}");

    // Who tries its number is told what to do.
    let by_pid = room.pollscope(&["report", &container.pid().to_string()]);
    assert_eq!(by_pid.code(), 3, "{by_pid:?}");
    assert!(
        by_pid.stderr.contains("forward that port"),
        "{}",
        by_pid.stderr
    );
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn from_the_host_it_is_listed_and_read_by_the_hosts_number() {
    let room = Room::new();
    let container = hung(&room, Shm::Own, &[]);
    let row = listed(&room, &container);
    assert_eq!(row["state"], "ready", "{row:#}");
    assert_eq!(row["name"], "hung", "{row:#}");
    let socket = row["socket"].as_str().expect("a path");
    assert!(socket.contains("/root/dev/shm/pollscope-0/1-"), "{socket}");
    assert!(container.pid() != 1);

    let report = assert_explained(&room, &container.pid().to_string());
    assert_eq!(report["target"]["pid"], container.pid());
    let threads = report["threads"].as_array().expect("threads");
    assert!(threads.len() >= 2, "{threads:#?}");
    // Looked up here, in the container's own files: its libraries are found through its root.
    let dump = room.pollscope(&["dump", &container.pid().to_string()]);
    assert!(dump.stdout.contains("hung::main"), "{}", dump.stdout);
    assert!(
        dump.stdout.contains("nanosleep"),
        "libc's names: {}",
        dump.stdout
    );
}

/// The inspector in a container beside, with the same `/dev/shm`, as two containers of a pod have it: no process of the
/// other is seen there.
fn beside(room: &Room, shm: &Path, arguments: &[&str]) -> Output {
    let mut command = room.command("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--mount-proc", "--"])
        .args([
            "sh",
            "-c",
            "mount --bind \"$1\" /dev/shm && shift && exec \"$@\"",
            "sh",
        ])
        .arg(shm)
        .arg(inspector())
        .args(arguments);
    Output::of(command, Duration::from_secs(60))
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn from_a_container_beside_it_is_reached_without_its_process() {
    let room = Room::new();
    let shm = tempfile::tempdir().expect("a temporary directory");
    let container = hung(&room, Shm::Of(shm.path()), &[]);

    // Of this machine's `/tmp`, which it sees, too, there may be others.
    let row = || {
        let rows = beside(&room, shm.path(), &["ps", "--json"]);
        assert!(rows.status.success(), "{rows:?}");
        let rows: Value = serde_json::from_str(&rows.stdout).expect("JSON");
        let ours = |row: &&Value| {
            let socket = row["socket"].as_str();
            socket.is_some_and(|socket| socket.starts_with("/dev/shm/"))
        };
        let mut ours = rows.as_array().expect("rows").iter().filter(ours).cloned();
        let row = ours.next().expect("its row");
        assert!(ours.next().is_none(), "one row: {rows:#}");
        row
    };
    let live = row();
    assert_eq!(live["state"], "ready", "{live:#}");
    assert_eq!(live["pid"], Value::Null, "no number of ours: {live:#}");
    let target = format!("unix:{}", live["socket"].as_str().expect("a path"));

    // Its files are not seen either: the target looks its frames up itself.
    wait_until("the hang is named", Duration::from_secs(60), || {
        let report = beside(&room, shm.path(), &["report", &target]);
        assert!(report.status.success(), "{report:?}");
        report.stdout.contains("hung::hang").then_some(())
    });
    // Killed, and nobody cleaned up. It dies a moment after who started it.
    drop(container);
    wait_until("its socket is left", Duration::from_secs(20), || {
        (row()["state"] == "stale").then_some(())
    });
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn from_an_ephemeral_container_that_shares_the_processes() {
    let room = Room::new();
    let container = hung(&room, Shm::Own, &[]);
    listed(&room, &container);
    // In its PID namespace, with the root of another image: what `kubectl debug --target` makes.
    let inside = |arguments: &[&str]| {
        let mut command = room.command("nsenter");
        command
            .args(["--target", &container.pid().to_string(), "--pid", "--net"])
            .args(["unshare", "--mount", "--mount-proc", "--"])
            .arg(inspector())
            .args(arguments);
        Output::of(command, Duration::from_secs(60))
    };
    wait_until("the hang is named", Duration::from_secs(60), || {
        let report = inside(&["report", "1"]);
        assert!(report.status.success(), "{report:?}");
        report.stdout.contains("hung::hang").then_some(())
    });
    let rows = inside(&["ps", "--json"]);
    let rows: Value = serde_json::from_str(&rows.stdout).expect("JSON");
    let row = rows
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["pid"] == 1));
    assert!(row.is_some_and(|row| row["state"] == "ready"), "{rows:#}");
}

/// What a rootless container's own user and others do with it, from the host.
struct Rootless {
    room: Room,
    container: Container,
    owner: (User, PathBuf),
    shm: tempfile::TempDir,
}

impl Rootless {
    fn start() -> Self {
        let room = Room::new();
        let owner = user(4242);
        let shm = owner.0.dir();
        let program = owner.0.copy(Path::new(HUNG));
        let container =
            Container::rootless(&room, &owner.0, &program, Shm::Of(shm.path()), "ready");
        Self {
            room,
            container,
            owner,
            shm,
        }
    }

    fn pid(&self) -> String {
        self.container.pid().to_string()
    }

    /// Runs the inspector as a user.
    fn ask(&self, (user, inspector): &(User, PathBuf), arguments: &[&str]) -> Output {
        let mut command = user.command(&self.room, inspector);
        command.args(arguments);
        Output::of(command, Duration::from_secs(60))
    }

    /// The container's row in what a user lists.
    fn row(&self, user: &(User, PathBuf)) -> Option<Value> {
        let listed = self.ask(user, &["ps", "--json"]);
        assert!(listed.status.success(), "{listed:?}");
        let rows: Value = serde_json::from_str(&listed.stdout).expect("JSON");
        let mut rows = rows.as_array().expect("rows").iter();
        rows.find(|row| row["pid"] == self.container.pid()).cloned()
    }

    fn socket(&self) -> PathBuf {
        let dir = self.shm.path().join("pollscope-0");
        let mut sockets = fs::read_dir(dir).expect("the program made it");
        let socket = sockets.next().expect("a socket").expect("an entry");
        socket.path()
    }
}

/// A user without rights, and an inspector that he may run.
fn user(uid: u32) -> (User, PathBuf) {
    let user = User::new(uid);
    let inspector = user.copy(inspector());
    (user, inspector)
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn a_rootless_container_is_read_by_root_of_the_host() {
    let rootless = Rootless::start();
    let row = listed(&rootless.room, &rootless.container);
    assert_eq!(row["state"], "ready", "{row:#}");
    assert_eq!(row["user"], "4242", "as the host numbers it: {row:#}");
    let report = assert_explained(&rootless.room, &rootless.pid());
    assert_eq!(report["target"]["pid"], rootless.container.pid());
    assert_eq!(report["target"]["rights"], "debug");
    let dump = rootless.room.pollscope(&["dump", &rootless.pid()]);
    assert!(dump.stdout.contains("nanosleep"), "{}", dump.stdout);
    let mut screen = Screen::open(&rootless.room, &["attach", &rootless.pid()], 120, 35);
    screen.wait_for("LIVE");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn a_rootless_container_is_read_by_its_user() {
    let rootless = Rootless::start();
    let row = wait_until("it is listed", Duration::from_secs(20), || {
        rootless.row(&rootless.owner)
    });
    assert_eq!(row["state"], "ready", "{row:#}");
    assert_eq!(row["name"], "hung", "{row:#}");
    assert_eq!(row["user"], "4242", "{row:#}");
    let dump = wait_until("the hang is named", Duration::from_secs(60), || {
        let report = rootless.ask(&rootless.owner, &["report", &rootless.pid()]);
        assert!(report.status.success(), "{report:?}");
        let is_named = report.stdout.contains("hung::hang");
        is_named.then(|| rootless.ask(&rootless.owner, &["dump", &rootless.pid()]))
    });
    assert!(dump.stdout.contains("nanosleep"), "{}", dump.stdout);

    let (user, inspector) = &rootless.owner;
    let mut attach = CommandBuilder::new("setpriv");
    attach.args(user.becoming());
    attach.arg(inspector);
    attach.args(["attach", &rootless.pid()]);
    let mut screen = Screen::run(&rootless.room, attach, 120, 35);
    screen.wait_for("LIVE");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn a_rootless_container_is_nobody_elses() {
    let rootless = Rootless::start();
    wait_until("it listens", Duration::from_secs(20), || {
        rootless.row(&rootless.owner)
    });
    for uid in [4243, 65534] {
        let other = user(uid);
        assert_eq!(rootless.row(&other), None);
        let by_pid = rootless.ask(&other, &["report", &rootless.pid()]);
        assert_eq!(by_pid.code(), 4, "{by_pid:?}");
        assert!(
            by_pid
                .stderr
                .contains("it belongs to 4242: run pollscope as that user or as root"),
            "{by_pid:?}"
        );
        let socket = format!("unix:{}", rootless.socket().display());
        let by_path = rootless.ask(&other, &["report", &socket]);
        assert_eq!(by_path.code(), 4, "{by_path:?}");
        assert!(
            by_path.stderr.contains("it belongs to another user"),
            "{by_path:?}"
        );
    }

    // With the door opened, the program itself refuses; it cannot tell who that is, nor root of the host from others.
    let socket = rootless.socket();
    for (path, mode) in [
        (socket.parent().expect("a directory"), 0o777),
        (&socket, 0o666),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("opened");
    }
    let at = format!("unix:{}", socket.display());
    for uid in [4243, 65534] {
        let refused = rootless.ask(&user(uid), &["report", &at]);
        assert_eq!(refused.code(), 4, "{refused:?}");
        assert!(refused.stderr.contains("podman unshare"), "{refused:?}");
    }
    let own = rootless.ask(&rootless.owner, &["report", &at]);
    assert!(own.status.success(), "{own:?}");
}

#[test]
#[ignore = "needs root: cargo test --workspace --test containers -- --ignored --test-threads 1"]
fn a_program_that_run_starts_in_a_container_is_found() {
    let room = Room::new();
    let mut command = room.command(inspector());
    // Its number inside is 1. It ends with the inspector, however that ends.
    command
        .args(["run", "--", "setpriv", "--pdeathsig", "KILL"])
        .args(["unshare", "--pid", "--fork", "--kill-child", "--"])
        .arg(HUNG);
    room.start(command, "attached to hung");
}
