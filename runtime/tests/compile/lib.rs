//! Mistakes under `#[tracked]`, `#[main]` and `#[test]`: each must be told at the user's own words. The files beside
//! `mistakes/*.rs` and `kept/*.rs` are what the compiler prints; `TRYBUILD=overwrite cargo test -p pollscope-compile`
//! writes them anew, for reading the difference.

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// What the compiler itself words differs from release to release: it is compared under this one.
    const WORDED_BY: &str = "rustc 1.95.";

    fn compiler() -> String {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc).arg("--version").output();
        String::from_utf8(output.expect("a compiler").stdout).expect("text")
    }

    /// One test: two would build the same crates after each other, under one lock.
    #[test]
    fn each_mistake_is_told_at_the_user_s_own_words() {
        let cases = trybuild::TestCases::new();
        // Our own words.
        cases.compile_fail("mistakes/*.rs");
        // The compiler's words, which must be those for an `async fn` that is not tracked.
        let compiler = compiler();
        if compiler.starts_with(WORDED_BY) {
            cases.compile_fail("kept/*.rs");
        } else {
            println!("kept/ was not compared: it is worded by {WORDED_BY}x, this is {compiler}");
        }
    }
}
