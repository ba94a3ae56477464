//! What filters match, refuse and write back.

use super::*;
use proptest::prelude::*;

struct Row;

impl Fields for Row {
    fn text(&self, key: TextKey) -> Option<&str> {
        match key {
            TextKey::Name => Some("Settle-Orders"),
            TextKey::Site => Some("src/orders.rs:10"),
            TextKey::Type => Some("app::settle::{async_fn_env#0}"),
            TextKey::Thread => Some("worker-2"),
            TextKey::Span | TextKey::Runtime => None,
        }
    }

    fn word(&self, key: WordKey) -> &str {
        match key {
            WordKey::State => "idle",
            WordKey::Kind => "task",
            WordKey::Outcome => "none",
            WordKey::Warned => "warn",
        }
    }

    fn number(&self, key: NumberKey) -> Option<u64> {
        match key {
            NumberKey::Id => Some(7),
            NumberKey::Thread => Some(4711),
            NumberKey::Busy => Some(150_000_000),
            NumberKey::Age => Some(120_000_000_000),
            NumberKey::Polls => Some(1_500),
            NumberKey::Bytes => Some(4_096),
            _ => None,
        }
    }

    fn is_of_crate(&self, name: &str) -> bool {
        crate::crates::is_same("my_app", name)
    }

    fn has_label(&self, key: &str, value: Option<&str>) -> bool {
        equals_folded("Order", key) && value.is_none_or(|value| equals_folded("A 42", value))
    }
}

fn matches(filter: &str) -> bool {
    let parsed: Filter = filter
        .parse()
        .unwrap_or_else(|error| panic!("{filter}: {error}"));
    parsed.matches(&Row)
}

#[test]
fn terms_that_hold() {
    for filter in [
        "",
        "  ",
        "settle",
        "SETTLE",
        "orders.rs:10",
        "app::settle",
        "\"settle-orders\"",
        "name:orders",
        "site:orders.rs:10",
        "type:async_fn",
        "thread:worker",
        "thread:4711",
        "state:idle",
        "outcome:none",
        "warned:any",
        "warned:warn",
        "id:7",
        "id=7",
        "busy>100ms",
        "busy>=0.15s",
        "age>=2m",
        "polls>1k",
        "polls<1.6k",
        "bytes>=4k",
        "!state:running",
        "!busy>1s",
        "settle busy>100ms !kind:local",
        "crate:my_app",
        "crate:My-App",
        "crate=my-app",
        "!crate:app",
        "label:order",
        "label=ORDER",
        "label:\"order=a 42\"",
        "!label:tenant",
        // Not measured: passes no comparison, so its negation holds.
        "!wakes<5",
    ] {
        assert!(matches(filter), "{filter}");
    }
}

#[test]
fn terms_that_do_not_hold() {
    for filter in [
        "settel",
        "state:running",
        "warned:none",
        "warned:error",
        "busy>150ms",
        "wakes<5",
        "wakes>=0",
        "span:x",
        "!settle",
        "settle state:done",
        "thread:4712",
        "crate:app",
        "crate:my",
        "!crate:my-app",
        "label:orde",
        "label:order=4",
        "label:tenant=\"a 42\"",
    ] {
        assert!(!matches(filter), "{filter}");
    }
}

#[test]
fn errors_say_where_and_what() {
    for (filter, error) in [
        (
            "a bsy>1s",
            "column 3: no key `bsy`; quote it to search for it as text",
        ),
        (
            "state:idel",
            "column 7: state is one of running, scheduled, idle, unpolled, done",
        ),
        ("busy>5", "column 6: expected a time, like 100ms or 2m"),
        ("polls>ten", "column 7: expected a number, like 12 or 1k"),
        ("bytes>4kib", "column 7: expected a size, like 4k or 1M"),
        ("name>5", "column 6: name is no number: write name:5"),
        ("busy>", "column 6: a value is missing"),
        (
            "!",
            "column 2: a term must follow `!`; quote it to search for it",
        ),
        ("µ \"a", "column 3: the closing quote is missing"),
        ("\"a\"b", "column 4: a blank must follow the closing quote"),
        ("\"\"", "column 1: there is nothing between the quotes"),
        (
            "label:=42",
            "column 7: expected a label, like order=42 or order",
        ),
        ("crate>5", "column 7: crate is no number: write crate:5"),
        ("crate:", "column 7: a value is missing"),
        ("label>5", "column 7: label is no number: write label:5"),
        (
            "id:99999999999999999999",
            "column 4: expected a number, like 12 or 1k",
        ),
    ] {
        let message = filter.parse::<Filter>().unwrap_err().to_string();
        assert_eq!(message, error, "{filter}");
    }
}

#[test]
fn filters_are_bounded() {
    assert!("x".repeat(2000).parse::<Filter>().is_err());
    assert!("x ".repeat(33).parse::<Filter>().is_err());
    assert!("x ".repeat(32).parse::<Filter>().is_ok());
}

#[test]
fn written_back_in_the_shortest_exact_form() {
    for (filter, written) in [
        ("  Settle   busy>1500us ", "settle busy>1500us"),
        ("busy>=2000ms", "busy>=2s"),
        ("bytes>4096", "bytes>4k"),
        ("age>0", "age>0"),
        ("\"state:idle\"", "\"state:idle\""),
        ("\"plain\"", "plain"),
        ("crate=My-App", "crate:my-app"),
        ("label=Order=A=b", "label:order=a=b"),
        ("label:order=", "label:order="),
    ] {
        assert_eq!(filter.parse::<Filter>().unwrap().to_string(), written);
    }
}

proptest! {
    #[test]
    fn parsing_never_panics_and_errors_are_one_line(text in any::<String>()) {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.at <= text.chars().count());
        }
    }

    #[test]
    fn what_is_written_reads_the_same(
        text in r#"( |!|"|\\|:|<|>=|=|1|5ms|[a-zA-ZΣß\u{130}]|state:|idle|busy|thread:|name:|label:|crate:|µ){0,24}"#
    ) {
        if let Ok(filter) = text.parse::<Filter>() {
            let written = filter.to_string();
            let again: Filter = written.parse().map_err(|error| {
                TestCaseError::fail(format!("{text:?} wrote {written:?}: {error}"))
            })?;
            prop_assert_eq!(again, filter, "{} -> {}", text, written);
        }
    }
}
