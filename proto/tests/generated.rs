//! The committed code is what the `.proto` file generates: no protoc, no build script for users.
//!
//! After a change of `proto/`: `POLLSCOPE_REGENERATE=1 cargo test -p pollscope-proto --test generated`.

use std::path::Path;

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = protox::compile(["pollscope/v1/inspect.proto"], [root.join("proto")])
        .expect("the proto file compiles");
    let out = tempfile::tempdir().expect("a temporary directory");
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .build_client(true)
        .build_server(true)
        .build_transport(false)
        .server_mod_attribute("pollscope.v1", "#[cfg(feature = \"server\")]")
        .client_mod_attribute("pollscope.v1", "#[cfg(feature = \"client\")]")
        .compile_fds(files)
        .expect("the code generates");
    let fresh = std::fs::read_to_string(out.path().join("pollscope.v1.rs")).expect("generated");
    let committed = root.join("src/generated/pollscope.v1.rs");
    if std::env::var_os("POLLSCOPE_REGENERATE").is_some() {
        std::fs::write(&committed, &fresh).expect("written");
    }
    let have = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        have == fresh,
        "proto/src/generated is stale: POLLSCOPE_REGENERATE=1 cargo test -p pollscope-proto --test generated"
    );
}
