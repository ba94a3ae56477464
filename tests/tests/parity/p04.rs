//! P4: `Coroutine created at (most recent call last)`, of which asyncio keeps the ten innermost.

use serde_json::Value;

use crate::row::Row;

/// How many of the user's frames are printed.
const DEPTH: usize = 10;

/// The lines of the user's own frames, innermost first.
fn users(backtrace: &Value, file: &str) -> Vec<u64> {
    let frames = backtrace.as_array().expect("frames");
    let users = frames.iter().filter(|frame| {
        let path = frame["file"].as_str().unwrap_or_default();
        path.contains(file)
    });
    users.filter_map(|frame| frame["line"].as_u64()).collect()
}

fn innermost_is_the_call(row: &Row) {
    let warning = row.warning("never_awaited");
    row.is_at(&warning["site"], "created");
    assert_eq!(warning["created"]["exemplar"], false, "{warning:#}");
    let lines = users(&warning["created"]["backtrace"], "parity/p04_backtrace.rs");
    assert_eq!(lines.first(), Some(&row.line("created")), "{warning:#}");
    let through = lines
        .iter()
        .skip(1)
        .take_while(|line| **line == row.line("through"));
    assert!(through.count() >= DEPTH, "{lines:?}");
}

#[test]
fn p04_backtrace() {
    let row = Row::faulty("p04");
    innermost_is_the_call(&row);
    // As text: so many of them and no more, the innermost first, without what lies between Tokio and us.
    let text = row.inspect(&["report", "@"]).stdout;
    let created = text.split("\n     created ").nth(1).expect(&text);
    let created = created.split("\n     observed ").next().expect(&text);
    let shown: Vec<&str> = created
        .lines()
        .filter(|line| line.contains("p04_backtrace::deep"))
        .collect();
    assert_eq!(shown.len(), DEPTH, "{text}");
    let innermost = format!("p04_backtrace.rs:{}", row.line("created"));
    assert!(shown[0].contains(&innermost), "{text}");
    assert!(!created.contains("pollscope_capture"), "{text}");
    Row::healthy("p04").is_silent("never_awaited");
}

/// Quiet takes one backtrace for each place, and knows the place itself always.
#[test]
fn p04_backtrace_in_quiet() {
    innermost_is_the_call(&Row::start("p04", "faulty", &[("POLLSCOPE", "quiet")]));
}
