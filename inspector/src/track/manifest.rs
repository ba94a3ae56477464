//! Which packages were given an attribute of a crate that they do not name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The manifests of the packages of these files that have no dependency `pollscope`.
pub fn without_pollscope<'a>(files: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
    let manifests: BTreeSet<PathBuf> = files.filter_map(of).collect();
    manifests
        .into_iter()
        .filter(|manifest| fs::read_to_string(manifest).is_ok_and(|text| !names_pollscope(&text)))
        .collect()
}

/// The manifest of the package that a file belongs to.
fn of(file: &Path) -> Option<PathBuf> {
    let manifests = file.ancestors().skip(1).map(|dir| dir.join("Cargo.toml"));
    manifests.into_iter().find(|manifest| manifest.is_file())
}

/// By its lines: a dependency, a table of one, or one that was given this name.
fn names_pollscope(manifest: &str) -> bool {
    manifest.lines().map(str::trim).any(|line| {
        let key = line.split(['=', '.']).next().unwrap_or_default();
        key.trim().trim_matches('"') == "pollscope"
            || line.starts_with('[') && line.ends_with("dependencies.pollscope]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_found_in_each_of_its_forms() {
        for named in [
            "[dependencies]\npollscope = \"0.1\"",
            "[dependencies]\npollscope.workspace = true",
            "[dev-dependencies]\n  pollscope={ path = \"..\" }",
            "[target.'cfg(unix)'.dependencies.pollscope]\nversion = \"0.1\"",
        ] {
            assert!(names_pollscope(named), "{named}");
        }
        for other in [
            "[package]\nname = \"pollscope\"",
            "[dependencies]\npollscope-tokio = \"0.1\"",
            "[dependencies]\ntokio = { package = \"pollscope-tokio\" }",
            "# pollscope would be good",
        ] {
            assert!(!names_pollscope(other), "{other}");
        }
    }
}
