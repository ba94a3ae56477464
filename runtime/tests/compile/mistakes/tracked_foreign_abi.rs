#[pollscope::tracked]
extern "C" fn load() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {
    drop(load());
}
