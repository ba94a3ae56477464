//! What each kind of warning means, in words: for `explain`.

mod texts;

/// The words for one kind of warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub kind: &'static str,
    /// One line.
    pub summary: &'static str,
    pub meaning: &'static str,
    /// What the two places of the warning show.
    pub places: &'static str,
    pub fix: &'static str,
    pub silence: &'static str,
    /// False positives that are left, and what is not seen.
    pub residue: &'static str,
}

/// The explanation of a kind, by its name of the contract. Dashes are taken for underscores.
pub fn find(kind: &str) -> Option<&'static Explanation> {
    let kind = kind.replace('-', "_");
    texts::ALL.iter().find(|of| of.kind == kind)
}

/// What to say of a kind that there is no explanation of.
pub fn unknown(kind: &str) -> String {
    let kinds: Vec<_> = texts::ALL.iter().map(|of| of.kind).collect();
    format!(
        "no kind of warning `{}`; there are {}",
        crate::net::clean(kind, 64),
        kinds.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_of_the_contract_and_explained_whole() {
        for of in texts::ALL {
            assert!(pollscope_proto::kinds::is_known(of.kind), "{}", of.kind);
            let texts = [
                of.summary, of.meaning, of.places, of.fix, of.silence, of.residue,
            ];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", of.kind);
            assert!(
                texts
                    .iter()
                    .flat_map(|text| text.lines())
                    .all(|line| line.chars().count() <= 106)
            );
        }
    }

    #[test]
    fn kinds_are_found_by_name() {
        assert_eq!(find("slow_poll").map(|of| of.kind), Some("slow_poll"));
        assert_eq!(find("slow-poll").map(|of| of.kind), Some("slow_poll"));
        assert!(find("slow").is_none());
        assert!(
            unknown("slow\x1b[2J")
                .starts_with("no kind of warning `slow`; there are never_awaited")
        );
    }
}
