trait Store {
    #[pollscope::tracked]
    async fn load(&self) -> u8;
}

fn main() {}
