//! P1: `asyncio.run(debug=…)` beats `PYTHONASYNCIODEBUG`, which beats off.

use crate::row::Row;

/// Level and who decided it, as `report --json` and `ps --json` say.
fn level(what: &str, env: &[(&str, &str)]) -> (String, String) {
    let row = Row::start("p01", what, env);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let target = &row.report()["target"];
    let told = (text(&target["level"]), text(&target["level_source"]));
    let listed = row.inspect(&["ps", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    // Programs of others may be listed, too: those in the directories that all share.
    let listed_here = listed.as_array().and_then(|all| {
        let pid = row.pid();
        all.iter().find(|program| program["pid"] == pid)
    });
    let found = listed_here.expect("it is listed");
    let seen = (text(&found["level"]), text(&found["level_source"]));
    assert_eq!(seen, told, "ps and report agree: {listed:#}");
    told
}

#[test]
fn p01_enabling() {
    let debug = [("POLLSCOPE_DEBUG", "1")];
    // The one difference to asyncio: "0" is not on.
    let zero = [("POLLSCOPE_DEBUG", "0")];
    let quiet = [("POLLSCOPE", "quiet")];
    for (what, env, expected) in [
        ("healthy", &[][..], ("quiet", "default")),
        ("healthy", &debug[..], ("debug", "env")),
        ("healthy", &zero[..], ("quiet", "default")),
        ("healthy", &quiet[..], ("quiet", "env")),
        ("faulty", &[][..], ("debug", "explicit")),
        ("faulty", &quiet[..], ("debug", "explicit")),
        ("faulty", &zero[..], ("debug", "explicit")),
    ] {
        let told = level(what, env);
        assert_eq!((&*told.0, &*told.1), expected, "{what} {env:?}");
    }
}

#[test]
fn p01_live() {
    let row = Row::start("p01", "healthy", &[]);
    let set = row.inspect(&[
        "set",
        "@",
        "level=debug",
        "slow_poll=0",
        "depth=3",
        "dedupe=off",
        "log=error",
    ]);
    assert_eq!(set.code(), 0, "{set:?}");
    assert_eq!(
        set.stdout.trim(),
        "level=debug slow_poll=0 log=error depth=3 dedupe=off"
    );
    let target = &row.report()["target"];
    assert_eq!(target["level"], "debug", "{target:#}");
    assert_eq!(target["level_source"], "inspector", "{target:#}");
}
