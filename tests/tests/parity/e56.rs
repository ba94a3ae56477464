//! Edge case 56: what a program calls its tasks cannot harm those who read of them, by whatever way.

use std::time::Duration;

use pollscope_tests::wait_until;
use serde_json::Value;

use crate::row::Row;

/// Whether it does more than show.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n') || c == '\u{202e}'
}

/// Every string of a JSON value.
fn strings<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, into)),
        _ => {}
    }
}

fn task_named(row: &Row, begins: &str) -> Value {
    wait_until("the task", Duration::from_secs(20), || {
        let tasks = row.report()["tasks"].as_array().cloned().expect("tasks");
        let of_name = |task: &Value| {
            task["name"]
                .as_str()
                .is_some_and(|name| name.starts_with(begins))
        };
        tasks.into_iter().find(of_name)
    })
}

#[test]
fn e56_strange_names() {
    let mut row = Row::faulty("e56");
    let warning = row.warning("leaked_error");
    row.is_at(&warning["site"], "fails");

    // The log: one line, escaped, not cut short at the NUL.
    let logged = wait_until("the line", Duration::from_secs(20), || {
        let mut lines = row.program().printed().iter();
        lines.find(|line| line.contains("broken")).cloned()
    });
    assert!(
        logged.contains("\"strange\\n\\r\\u{0}\\u{1b}[2J"),
        "{logged:?}"
    );
    for line in row.program().printed() {
        assert!(!line.contains(is_harmful) && line.len() < 2000, "{line:?}");
    }

    // JSON and text: what a script or a terminal gets.
    let report = row.report();
    let mut texts = Vec::new();
    strings(&report, &mut texts);
    for text in texts {
        assert!(!text.contains(is_harmful) && text.len() < 5000, "{text:?}");
    }
    let name = task_named(&row, "strange")["name"].to_string();
    assert!(name.contains("strange xxx"), "{name}");
    let text = row.inspect(&["report", "@"]).stdout;
    assert!(
        text.contains("strange xxx") && !text.contains(is_harmful),
        "{text:?}"
    );

    // The screen.
    let mut screen = row.screen(120, 35);
    screen.wait_for("strange xxx");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    let raw = screen.raw();
    let raw = String::from_utf8_lossy(&raw);
    assert!(!raw.contains("\u{1b}]0;owned") && !raw.contains('\u{202e}'));

    let healthy = Row::healthy("e56");
    assert_eq!(task_named(&healthy, "grö")["name"], "größer → 😀");
    healthy.is_silent("");
}
