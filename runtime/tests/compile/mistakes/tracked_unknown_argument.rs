#[pollscope::tracked(debug)]
async fn load() {}

#[pollscope::tracked(crate = pollscope)]
async fn save() {}

fn main() {
    drop((load(), save()));
}
