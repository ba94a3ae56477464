//! What `#[tracked]` says of mistakes, and which of the user's words it points at.

use quote::ToTokens;

use super::{Args, expand, items};

fn expanded(item: &str) -> syn::Result<String> {
    let args: Args = syn::parse_str("").expect("no arguments");
    items::expand(syn::parse_str(item).expect(item), &args).map(|tokens| tokens.to_string())
}

/// The source a mistake points at, and what is said of it.
fn wrong(item: &str) -> (String, String) {
    let error = expanded(item).expect_err(item);
    (
        error.span().source_text().unwrap_or_default(),
        error.to_string(),
    )
}

#[test]
fn each_mistake_points_at_the_word_that_is_wrong_and_says_what_to_do() {
    for (item, at, says) in [
        (
            "extern \"C\" fn f() -> impl Future {}",
            "extern \"C\"",
            "needs the Rust ABI",
        ),
        (
            "async extern \"system\" fn f() {}",
            "extern \"system\"",
            "needs the Rust ABI",
        ),
        ("pub fn f() -> u8 { 1 }", "fn", "call `pollscope::track`"),
        (
            "fn f() -> Pin<Box<dyn Stream>> { s() }",
            "fn",
            "call `pollscope::track`",
        ),
        (
            "pub struct S { a: u8 }",
            "pub struct S { a: u8 }",
            "goes on async functions",
        ),
        ("mod elsewhere;", "mod elsewhere;", "only inline modules"),
    ] {
        let (pointed, said) = wrong(item);
        assert_eq!(pointed, at, "{item}: {said}");
        assert!(said.contains(says), "{item}: {said}");
    }
}

#[test]
fn a_mistake_leaves_the_item_in_place() {
    let item: proc_macro2::TokenStream = "fn f() -> u8 { 1 }".parse().expect("tokens");
    let made = expand(proc_macro2::TokenStream::new(), item.clone()).to_string();
    assert!(
        made.starts_with(&item.to_string()) && made.contains("compile_error"),
        "{made}"
    );
    let declared = "async fn f();".parse().expect("tokens");
    let made = expand(proc_macro2::TokenStream::new(), declared).to_string();
    assert!(made.contains("needs a body to track"), "{made}");
    let unknown = "debug".parse().expect("tokens");
    let made = expand(unknown, item).to_string();
    assert!(made.contains("unknown argument `debug`"), "{made}");
}

#[test]
fn what_is_no_concern_of_it_is_left_as_it_was() {
    for item in [
        "impl S { fn f(&self) -> u8 { 1 } const N: u8 = 1; async extern \"C\" fn g() {} }",
        "trait T { async fn declared(&self); fn f() -> impl Future<Output = ()> { ready(()) } }",
        "mod m { struct S; fn f() -> impl Future { g() } macro_rules! m { () => { async fn h() {} } } }",
    ] {
        let parsed: syn::Item = syn::parse_str(item).expect(item);
        assert_eq!(
            expanded(item).expect(item),
            parsed.into_token_stream().to_string()
        );
    }
}

#[test]
fn attribute_macros_come_first_and_ours_is_put_below_them_once() {
    let made = expanded("#[instrument] #[inline] async fn f() {}").expect("no mistake");
    let again = made
        .find("pollscope :: tracked (__deferred")
        .expect("put below");
    assert!(made.find("instrument").expect("kept") < again, "{made}");
    assert!(
        made.contains("async fn f"),
        "not before the others ran: {made}"
    );

    let made =
        expanded("impl S { #[instrument] async fn f() {} #[test] fn g() {} async fn h() {} }");
    let made = made.expect("no mistake");
    assert_eq!(made.matches("__inside").count(), 1, "{made}");
    assert_eq!(made.matches("track_at").count(), 1, "{made}");
}

#[test]
fn what_is_said_of_a_function_stays_and_in_its_order() {
    let said =
        "# [doc = \" Docs.\"] # [cfg (unix)] # [must_use = \"an answer\"] # [cold] # [deprecated]";
    let made = expanded(&format!(
        "{said} pub(in a) async unsafe fn f<'a, T: 'a>(t: &'a T) {{}}"
    ));
    let made = made.expect("no mistake");
    assert!(made.starts_with(said), "{made}");
    let signature = "pub (in a) unsafe fn f < 'a , T : 'a > (t : & 'a T)";
    assert!(made.contains(signature), "{made}");
}
