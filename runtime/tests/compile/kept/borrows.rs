//! What is borrowed, and for how long, as under `async fn`.

#[pollscope::tracked]
async fn local<'a>() -> &'a str {
    let text = String::new();
    &text
}

#[pollscope::tracked]
async fn used_after_move(text: String) -> usize {
    drop(text);
    text.len()
}

#[pollscope::tracked]
async fn shorter<'a>(_first: &'a str, second: &str) -> &'a str {
    second
}

#[pollscope::tracked]
async fn holds(text: &mut String) {
    text.push('x');
}

async fn twice_at_once() {
    let mut text = String::new();
    let first = holds(&mut text);
    let second = holds(&mut text);
    first.await;
    second.await;
}

fn main() {
    drop((local(), used_after_move(String::new()), shorter("", ""), twice_at_once()));
}
