//! Visibility stays.

mod bank {
    #[pollscope::tracked]
    async fn hidden() {}

    #[pollscope::tracked]
    pub mod deeper {
        pub(super) async fn inside() {}
    }

    pub async fn open() {
        hidden().await;
        deeper::inside().await;
    }
}

fn main() {
    drop((bank::open(), bank::hidden(), bank::deeper::inside()));
}
