//! Finds what is to be said of a kind of warning, by the name that a user typed. The words are the model's.

use crate::model::{Words, detected};

/// The words for a kind, by its name of the contract. Dashes are taken for underscores.
pub fn find(kind: &str) -> Option<&'static Words> {
    Words::of(&kind.replace('-', "_"))
}

/// What to say of a kind that there is no explanation of.
pub fn unknown(kind: &str) -> String {
    format!(
        "no kind of warning `{}`; there are {}",
        crate::net::clean(kind, 64),
        detected().collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_name() {
        for kind in pollscope_proto::kinds::ALL {
            assert_eq!(find(kind).map(|of| of.kind), Some(*kind));
            let dashed = kind.replace('_', "-");
            assert_eq!(find(&dashed).map(|of| of.kind), Some(*kind));
        }
        assert!(find("slow").is_none());
        assert!(find("").is_none());
        assert!(
            unknown("slow\x1b[2J")
                .starts_with("no kind of warning `slow`; there are never_awaited, slow_poll")
        );
    }
}
