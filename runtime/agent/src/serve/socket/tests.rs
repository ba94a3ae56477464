use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn place<const N: usize>(dirs: [&Path; N]) -> Place {
    Place {
        uid: sys::uid(),
        dirs: dirs.map(Path::to_owned).into(),
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").mode() & 0o7777
}

#[tokio::test]
async fn directory_and_socket_are_for_us_alone() {
    let tmp = TempDir::new().expect("a directory");
    let dir = tmp.path().join("pollscope");
    let (_listener, path) = place([&dir]).open().await.expect("a socket");
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&path), 0o600);
    let name: SocketName = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name")
        .parse()
        .expect("ours");
    assert_eq!((name.pid, name.copy), (std::process::id(), 1));
    assert_eq!(name.start_time, own_start_time());
    assert_ne!(name.start_time, 0);
}

#[tokio::test]
async fn a_directory_of_ours_that_is_too_open_is_closed() {
    let tmp = TempDir::new().expect("a directory");
    let dir = tmp.path().join("pollscope");
    fs::create_dir(&dir).expect("made");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).expect("opened up");
    place([&dir]).open().await.expect("a socket");
    assert_eq!(mode(&dir), 0o700);
}

#[tokio::test]
async fn what_is_not_ours_or_can_be_swapped_is_not_used() {
    let tmp = TempDir::new().expect("a directory");
    let target = tmp.path().join("elsewhere");
    fs::create_dir(&target).expect("made");
    let link = tmp.path().join("link");
    symlink(&target, &link).expect("linked");
    let file = tmp.path().join("file");
    fs::write(&file, "").expect("written");
    let open = tmp.path().join("open");
    fs::create_dir(&open).expect("made");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("opened up");
    let group = tmp.path().join("group");
    fs::create_dir_all(group.join("ours")).expect("made");
    fs::set_permissions(&group, fs::Permissions::from_mode(0o770)).expect("opened up");
    for (dir, why) in [
        (link, "not a directory"),
        (file, "not a directory"),
        (open.join("pollscope"), "sticky"),
        (group.join("pollscope"), "sticky"),
        (group.join("ours/pollscope"), "sticky"),
        (tmp.path().join("none/pollscope"), "No such file"),
    ] {
        let error = place([&dir]).open().await.expect_err("refused");
        assert!(error.contains(why), "{error}");
    }
    assert!(
        fs::read_dir(&target).expect("readable").next().is_none(),
        "nothing was put behind the link"
    );
    let stranger = Place {
        uid: sys::uid() + 1,
        dirs: vec![target],
    };
    let error = stranger.open().await.expect_err("refused");
    assert!(error.contains("belongs to uid"), "{error}");
}

/// `sudo -E`: root's process finds the user's directories in its environment.
#[test]
fn what_another_user_may_exchange_is_not_trusted() {
    const USER: u32 = 1000;
    for (owner, mode, uid, may) in [
        (USER, 0o700, 0, true),
        (USER, 0o1777, 0, true),
        (USER + 1, 0o755, USER, true),
        (0, 0o777, USER, true),
        (0, 0o775, USER, true),
        (USER, 0o770, USER, true),
        (0, 0o1777, USER, false),
        (0, 0o755, USER, false),
        (0, 0o755, 0, false),
        (USER, 0o700, USER, false),
        (USER, 0o1777, USER, false),
    ] {
        let who = swapped_by(owner, mode, uid);
        assert_eq!(who.is_some(), may, "{owner} {mode:o} for {uid}: {who:?}");
    }
}

/// Whoever may change the link changes where others look for us, and not where we are.
#[tokio::test]
async fn a_link_on_the_way_is_followed_once() {
    let tmp = TempDir::new().expect("a directory");
    let real = fs::canonicalize(tmp.path()).expect("it is there");
    fs::create_dir(real.join("here")).expect("made");
    symlink(real.join("here"), real.join("link")).expect("linked");
    let (_listener, path) = place([&real.join("link/pollscope")])
        .open()
        .await
        .expect("a socket");
    assert_eq!(path.parent(), Some(&*real.join("here/pollscope")));
}

#[tokio::test]
async fn the_next_directory_is_taken_where_one_cannot_be_had() {
    let tmp = TempDir::new().expect("a directory");
    let (missing, good) = (
        tmp.path().join("none/pollscope"),
        tmp.path().join("pollscope"),
    );
    let (_listener, path) = place([&missing, &good]).open().await.expect("a socket");
    assert_eq!(path.parent(), Some(good.as_path()));
    let error = place([&missing]).open().await.expect_err("refused");
    assert!(error.contains(&missing.display().to_string()), "{error}");
    assert!(place([]).open().await.is_err());
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_is_passed_over() {
    let tmp = TempDir::new().expect("a directory");
    let deep = tmp.path().join("d".repeat(120));
    fs::create_dir(&deep).expect("made");
    let good = tmp.path().join("pollscope");
    let (_listener, path) = place([&deep, &good]).open().await.expect("a socket");
    assert_eq!(path.parent(), Some(good.as_path()));
}

#[tokio::test]
async fn a_second_copy_in_the_process_gets_its_own_name() {
    let tmp = TempDir::new().expect("a directory");
    let place = place([&tmp.path().join("pollscope")]);
    let (first, one) = place.open().await.expect("a socket");
    let (_second, two) = place.open().await.expect("a socket");
    assert!(one.exists(), "the first was not disturbed");
    assert_eq!(
        two.file_name().and_then(|name| name.to_str()),
        Some(&*format!(
            "{}-{}.2.sock",
            std::process::id(),
            own_start_time()
        ))
    );
    // Left behind by the program that exec'ed this one: the name is ours, and nobody listens.
    drop(first);
    let (_again, path) = place.open().await.expect("a socket");
    assert_eq!(path, one);
}

#[tokio::test]
async fn sockets_of_the_dead_are_removed_and_others_left() {
    let tmp = TempDir::new().expect("a directory");
    let dir = tmp.path().join("pollscope");
    fs::create_dir(&dir).expect("made");
    let own = own_start_time();
    let make = |name: String| {
        let path = dir.join(name);
        (
            std::os::unix::net::UnixListener::bind(&path).expect("bound"),
            path,
        )
    };
    let pid = std::process::id();
    // The same pid, an earlier process: dead, and nobody listens.
    let (listener, dead) = make(SocketName::new(pid, own + 1).to_string());
    drop(listener);
    // Dead by its pid, yet it answers: a process of another container.
    let (_answers, elsewhere) = make(SocketName::new(pid, own + 2).to_string());
    // Lives, though it does not listen (init always lives).
    let init = start_time_of("1").expect("init has a start time");
    let (listener, silent) = make(SocketName::new(1, init).to_string());
    drop(listener);
    let foreign = dir.join("notes.txt");
    fs::write(&foreign, "").expect("written");
    let _open = place([&dir]).open().await.expect("a socket");
    assert!(!dead.exists(), "the dead one's is gone");
    assert!(elsewhere.exists(), "who answers, lives");
    assert!(silent.exists(), "a process that lives keeps its socket");
    assert!(
        foreign.exists(),
        "what is not a socket of ours is left alone"
    );
}
