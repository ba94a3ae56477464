//! The README's Rust: what it shows is in the sources beside, word for word, and so is compiled.

#[path = "readme/program.rs"]
mod program;
#[path = "readme/requests.rs"]
mod requests;

use std::fmt::Write as _;

const README: &str = include_str!("../../README.md");
/// What is compiled here; the last is a test, and runs.
const COMPILED: [&str; 2] = [
    include_str!("readme/program.rs"),
    include_str!("readme/requests.rs"),
];

/// The lines of a text as they are compared: indentation depends on what is around them.
fn unindented(text: &str) -> String {
    text.lines().fold(String::new(), |mut lines, line| {
        let _ = writeln!(lines, "{}", line.trim());
        lines
    })
}

/// The paragraphs of the Rust blocks of a Markdown text.
fn shown(markdown: &str) -> Vec<String> {
    let text = unindented(markdown);
    let blocks = text.split("\n```").skip(1).step_by(2);
    let rust = blocks.filter_map(|block| block.strip_prefix("rust\n"));
    rust.flat_map(|block| block.split("\n\n").map(|lines| lines.trim().to_owned()))
        .collect()
}

#[test]
fn what_the_readme_shows_is_compiled_word_for_word() {
    let shown = shown(README);
    assert!(shown.len() >= 7, "its blocks are found: {shown:#?}");
    let compiled = COMPILED.map(unindented).concat();
    let missing: Vec<_> = shown
        .iter()
        .filter(|paragraph| !compiled.contains(&format!("\n{paragraph}\n")))
        .collect();
    assert!(
        missing.is_empty(),
        "not in tests/tests/readme/, change them together: {missing:#?}"
    );
}

#[test]
fn paragraphs_of_rust_are_found_and_nothing_else() {
    let text = "a\n```toml\nb\n```\nc\n```rust\nd;\n    e;\n\nf;\n```\ng\n```console\nh\n```\n";
    assert_eq!(shown(text), ["d;\ne;", "f;"]);
}
