#[pollscope::tracked]
pub fn count(words: &str) -> usize {
    words.len()
}

fn main() {
    // The function is still there: one mistake, one error.
    count("one");
}
