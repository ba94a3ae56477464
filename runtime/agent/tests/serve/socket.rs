//! The socket of a real process: where it is, who may use it, and what is left when the process ends.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pollscope_proto::v1;
use tempfile::TempDir;
use tonic::Code;

use crate::target::{Target, over_unix, until};

fn hello() -> v1::HelloRequest {
    v1::HelloRequest {
        client: "test".into(),
        protocol_min: 1,
        protocol_max: 1,
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").mode() & 0o777
}

#[tokio::test]
async fn it_is_ours_alone_answers_and_goes_with_the_process() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[]);
    let socket = target.socket();
    let mut client = target.attach().await;
    assert_eq!(
        (mode(socket.parent().expect("a directory")), mode(&socket)),
        (0o700, 0o600)
    );
    let reply = client.hello(hello()).await.expect("answered").into_inner();
    assert_eq!((reply.protocol, reply.rights()), (1, v1::Rights::Debug));
    let told = reply.target.expect("a target");
    assert_eq!(
        (told.pid, Path::new(&told.socket), &*told.tcp),
        (target.pid(), &*socket, "")
    );
    assert_eq!(told.level(), v1::Level::Quiet);
    assert!(
        ["full", "lines", "names", "none"].contains(&&*told.symbols),
        "{}",
        told.symbols
    );
    assert!(target.end().status.success());
    assert!(!socket.exists(), "a clean end removes it");
}

#[test]
fn it_is_there_when_the_first_flush_returns() {
    let home = TempDir::new().expect("a directory");
    let starter = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "socket::starter", "--ignored", "--nocapture"])
        .env_remove("POLLSCOPE")
        .env("XDG_RUNTIME_DIR", home.path())
        .output()
        .expect("started");
    assert!(
        starter.status.success(),
        "{}",
        String::from_utf8_lossy(&starter.stderr)
    );
}

#[test]
#[ignore = "run in a process of its own by: cargo test -p pollscope-agent --test serve it_is_there"]
fn starter() {
    pollscope_capture::registry::set_starter(pollscope_agent::start);
    pollscope_capture::registry::start();
    pollscope_agent::flush(Duration::from_secs(20));
    let home = std::env::var_os("XDG_RUNTIME_DIR").expect("where");
    let entries = std::fs::read_dir(Path::new(&home).join("pollscope"));
    let sockets = entries.expect("a directory").flatten();
    let open = sockets
        .filter(|entry| UnixStream::connect(entry.path()).is_ok())
        .count();
    assert_eq!(open, 1);
}

#[tokio::test]
async fn without_the_runtime_directory_the_next_is_taken() {
    let home = TempDir::new().expect("a directory");
    let temporary = TempDir::new().expect("a directory");
    let missing = home.path().join("none");
    let env = [
        ("XDG_RUNTIME_DIR", missing.to_str().expect("text")),
        ("TMPDIR", temporary.path().to_str().expect("text")),
    ];
    let uid = std::fs::metadata(home.path()).expect("it is there").uid();
    let in_run = Path::new("/run/user")
        .join(uid.to_string())
        .join("pollscope");
    let in_tmp = temporary.path().join(format!("pollscope-{uid}"));
    let target = Target::start(home.path(), &env).or_in(vec![in_run, in_tmp.clone()]);
    let socket = target.socket();
    if !Path::new("/run/user").join(uid.to_string()).exists() {
        assert_eq!(socket.parent(), Some(&*in_tmp));
    }
    assert!(target.attach().await.hello(hello()).await.is_ok());
    assert!(target.end().status.success());
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_by_the_next() {
    let home = TempDir::new().expect("a directory");
    let killed = Target::start(home.path(), &[]);
    let left = killed.socket();
    drop(killed.attach().await);
    killed.kill();
    assert!(left.exists(), "nobody was there to remove it");
    let next = Target::start(home.path(), &[]);
    assert!(next.attach().await.hello(hello()).await.is_ok());
    until("the cleaning", || (!left.exists()).then_some(()));
    assert_eq!(next.sockets().len(), 1);
    next.end();
}

/// Edge case 60: another user. Only root can become somebody else; without, the decision is still tested beside `admit`.
#[tokio::test]
async fn another_user_is_refused_in_words() {
    const NOBODY: u32 = 65_534;
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[]);
    let socket = target.socket();
    assert!(target.attach().await.hello(hello()).await.is_ok());
    if std::fs::metadata(&socket).expect("it is there").uid() != 0 {
        return;
    }
    // Somebody opens up what we had closed.
    for (path, mode) in [
        (home.path(), 0o711),
        (socket.parent().expect("a directory"), 0o711),
        (&*socket, 0o666),
    ] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("opened up");
    }
    let stranger = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "socket::stranger", "--ignored", "--nocapture"])
        .env("SOCKET", &socket)
        .uid(NOBODY)
        .output();
    let Ok(stranger) = stranger else { return };
    assert!(
        stranger.status.success(),
        "{}",
        String::from_utf8_lossy(&stranger.stderr)
    );
    target.end();
}

#[tokio::test]
#[ignore = "run as another user, by root, in: cargo test -p pollscope-agent --test serve socket"]
async fn stranger() {
    let socket = std::env::var_os("SOCKET").expect("where");
    let error = over_unix(socket.into())
        .await
        .hello(hello())
        .await
        .expect_err("refused");
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(
        error
            .message()
            .contains("belongs to uid 0, you are uid 65534"),
        "{}",
        error.message()
    );
}
