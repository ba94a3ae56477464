//! What each kind of warning means, in words: for screens, which have little room, and for `explain`, which has more.

mod held;
mod lost;
mod misused;
mod waiting;

use pollscope_proto::kinds;

use super::WarningKind;

/// The words for one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Its name of the contract.
    pub kind: &'static str,
    pub title: &'static str,
    /// What happened at the first place, and at the second.
    pub created: &'static str,
    pub observed: &'static str,
    /// In a sentence.
    pub meaning: &'static str,
    pub fix: &'static str,
    // What `explain` says beyond that, in lines.
    pub about: &'static str,
    pub places: &'static str,
    pub remedy: &'static str,
    /// How to silence one site, or what to raise or mend where one cannot be silenced alone.
    pub silence: &'static str,
    /// False positives that are left, and what is not seen.
    pub residue: &'static str,
}

/// For kinds of a newer target. `explain` has no more to say of them.
const UNKNOWN: Words = Words {
    kind: "",
    title: "",
    created: "Began here",
    observed: "Seen here",
    meaning: "This version of the inspector does not know the kind.",
    fix: "Update pollscope to the version of the target.",
    about: "",
    places: "",
    remedy: "",
    silence: "",
    residue: "",
};

/// Kinds of the contract that no runtime of this version detects: they are explained to whoever asks, and listed
/// nowhere.
pub const UNDETECTED: &[&str] = &[
    kinds::LOST_WAKER,
    kinds::SELF_WAKES,
    kinds::WAKE_STORM,
    kinds::LARGE_FUTURE,
    kinds::DEADLOCK,
    kinds::DEAD_WAIT,
];

/// The kinds that a runtime of this version detects.
pub fn detected() -> impl Iterator<Item = &'static str> {
    kinds::ALL
        .iter()
        .copied()
        .filter(|kind| !UNDETECTED.contains(kind))
}

fn all() -> impl Iterator<Item = &'static Words> {
    [lost::ALL, held::ALL, misused::ALL, waiting::ALL]
        .into_iter()
        .flatten()
}

impl Words {
    /// Of a kind by its name of the contract.
    pub fn of(kind: &str) -> Option<&'static Self> {
        all().find(|words| words.kind == kind)
    }
}

impl WarningKind {
    /// What it means, and what to do.
    pub fn words(&self) -> &'static Words {
        Words::of(self.as_str()).unwrap_or(&UNKNOWN)
    }

    /// As screens name it: `slow poll`.
    pub fn title(&self) -> String {
        match self.words().title {
            "" => self.as_str().replace('_', " "),
            title => title.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_contract_has_words() {
        let mut known: Vec<&str> = all().map(|words| words.kind).collect();
        let mut contract = pollscope_proto::kinds::ALL.to_vec();
        known.sort_unstable();
        contract.sort_unstable();
        assert_eq!(known, contract);
        for kind in contract {
            assert_eq!(WarningKind(kind.to_owned()).words().kind, kind);
        }
    }

    #[test]
    fn every_kind_is_explained_whole_and_within_a_page() {
        for of in all() {
            let sentences = [of.title, of.created, of.observed, of.meaning, of.fix];
            let lines = [of.about, of.places, of.remedy, of.silence, of.residue];
            assert!(
                sentences.iter().chain(&lines).all(|text| !text.is_empty()),
                "{}",
                of.kind
            );
            for line in lines.iter().flat_map(|text| text.lines()) {
                assert!(line.chars().count() <= 112, "{}: {line}", of.kind);
            }
        }
    }

    #[test]
    fn what_is_not_detected_says_so_where_it_is_explained() {
        for of in all() {
            let says = of
                .residue
                .starts_with("The runtime of this version does not look for it");
            assert_eq!(says, UNDETECTED.contains(&of.kind), "{}", of.kind);
        }
        assert_eq!(detected().count() + UNDETECTED.len(), kinds::ALL.len());
    }

    #[test]
    fn an_unknown_kind_is_shown_as_its_text() {
        let kind = WarningKind("brand_new".to_owned());
        assert_eq!(kind.title(), "brand new");
        assert_eq!(kind.words(), &UNKNOWN);
    }
}
