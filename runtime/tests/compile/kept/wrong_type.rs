//! The body does not give what the signature promises.

#[pollscope::tracked]
async fn tail() -> u8 {
    "text"
}

#[pollscope::tracked]
async fn returned(stop: bool) -> u8 {
    if stop {
        return None;
    }
    1
}

#[pollscope::tracked]
async fn question_mark(text: &str) -> u8 {
    text.parse()?
}

#[pollscope::tracked]
async fn no_value() -> u8 {
    tail().await;
}

#[pollscope::main]
async fn main() -> Result<(), String> {
    tail().await
}
