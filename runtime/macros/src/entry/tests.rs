//! What `#[main]` and `#[test]` say of mistakes, and where.

use proc_macro2::TokenStream;

use super::{Entry, args, expand};

fn wrong(entry: Entry, text: &str) -> String {
    let tokens: TokenStream = text.parse().expect("tokens");
    args::parse(entry, tokens)
        .map(|_| ())
        .expect_err(text)
        .to_string()
}

#[test]
fn each_mistake_is_named_and_says_what_to_write() {
    for (text, says) in [
        ("flavor = \"threaded\"", "no flavor `threaded`"),
        ("multi_thread", "write `flavor = \"multi_thread\"`"),
        ("debug", "write `debug = true`"),
        ("debug = 1", "`debug` needs `true` or `false`"),
        ("slow_poll = \"soon\"", "`soon` is not a duration"),
        ("slow_poll", "as in `slow_poll = \"50ms\"`"),
        ("dedupe", "write `dedupe = true`"),
        ("depth = \"3\"", "`depth` needs a number"),
        ("log = \"loud\"", "`loud` is not one of"),
        ("worker_threads = 0", "may not be 0"),
        ("worker_threads = \"2\"", "needs a number"),
        ("worker_threads = N", "needs a literal"),
        ("core_threads = 2", "is called `worker_threads`"),
        ("start_paused = true", "flavor = \"current_thread\""),
        (
            "unhandled_panic = \"cry\", flavor = \"current_thread\"",
            "no behavior `cry`",
        ),
        ("debug = true, debug = false", "given twice"),
        ("crate = \"a b\"", "not a path"),
        ("threads = 2", "unknown argument `threads`"),
    ] {
        let said = wrong(Entry::MAIN, text);
        assert!(said.contains(says), "{text}: {said}");
    }
    assert!(
        wrong(Entry::TEST, "worker_threads = 2")
            .contains("#[pollscope::test(flavor = \"multi_thread\")]")
    );
}

#[test]
fn tokio_s_arguments_are_all_taken() {
    let taken = |entry, text: &str| args::parse(entry, text.parse().expect("tokens")).expect(text);
    let main = taken(
        Entry::MAIN,
        "flavor = \"multi_thread\", worker_threads = 4, name = \"x\", crate = \"a::b\",",
    );
    assert_eq!(
        (main.worker_threads, main.name.as_deref()),
        (Some(4), Some("x"))
    );
    let test = taken(
        Entry::TEST,
        "start_paused = true, unhandled_panic = \"shutdown_runtime\", debug = true",
    );
    assert_eq!((test.start_paused, test.debug), (Some(true), Some(true)));
    assert_eq!(
        args::parse(Entry::MAIN, TokenStream::new())
            .expect("none")
            .flavor,
        args::Flavor::MultiThread
    );
    assert_eq!(
        args::parse(Entry::TEST, TokenStream::new())
            .expect("none")
            .flavor,
        args::Flavor::CurrentThread
    );
}

#[test]
fn a_mistake_leaves_the_function_in_place() {
    let item: TokenStream = "fn main() { let x = ; }".parse().expect("tokens");
    let made = expand(Entry::MAIN, TokenStream::new(), item).to_string();
    assert!(
        made.contains("fn main") && made.contains("compile_error"),
        "{made}"
    );
    assert!(made.contains("write `async` before `fn`"), "{made}");
}

#[test]
fn the_facade_s_attributes_name_tokio_and_nothing_else() {
    let item = || "async fn f() {}".parse::<TokenStream>().expect("tokens");
    for entry in [Entry::TOKIO_MAIN, Entry::TOKIO_TEST] {
        let made = expand(entry, TokenStream::new(), item()).to_string();
        assert!(made.contains("tokio :: runtime :: Builder"), "{made}");
        assert!(!made.contains("pollscope ::"), "{made}");
        let renamed = "crate = \"a::b\"".parse().expect("tokens");
        let made = expand(entry, renamed, item()).to_string();
        assert!(
            made.contains("a :: b :: runtime") && !made.contains("tokio ::"),
            "{made}"
        );
    }
    assert!(wrong(Entry::TOKIO_TEST, "worker_threads = 2").contains("#[tokio::test("));
}
