//! The help of every command: what scripts and habits rely on.

use std::process::Command;

fn help(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pollscope"))
        .args(args)
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[cfg(feature = "demo")]
fn of_the_whole() {
    insta::assert_snapshot!(help(&["-h"]));
}

#[test]
fn of_each_command() {
    for command in [
        "attach",
        "ps",
        "run",
        "report",
        "watch",
        "dump",
        "set",
        "abort",
        "track",
        "explain",
        "completions",
        "man",
    ] {
        insta::assert_snapshot!(command, help(&[command, "-h"]));
    }
}

#[test]
#[cfg(feature = "demo")]
fn of_the_demo() {
    insta::assert_snapshot!(help(&["demo", "-h"]));
}

#[test]
fn hidden_commands_stay_hidden() {
    for args in [
        &["--help"][..],
        &["man"],
        &["completions", "bash"],
        &["completions", "elvish"],
        &["completions", "fish"],
        &["completions", "powershell"],
        &["completions", "zsh"],
    ] {
        // A script's function for `demo` is no `__demo`.
        let text = help(args).replace("subcmd__demo", "");
        assert!(!text.contains("__demo"), "{args:?}");
        for shown in ["report", "attach", "color"] {
            assert!(text.contains(shown), "{args:?} knows {shown}");
        }
    }
}
