//! The filter language: what a view shows, evaluated by the target for every row.
//!
//! | written | means |
//! |---|---|
//! | `settle` | the name, site, type or span contains it, in any case of letters |
//! | `"a b"` | the same for text with blanks or signs; `\"` and `\\` inside |
//! | `state:idle` | `state`, `kind`, `outcome`, `warned` equal one of their words |
//! | `site:a.rs:10` | `name`, `site`, `type`, `span`, `thread` contain the text |
//! | `crate:api` | the future is of that crate, `my-crate` or `my_crate`: see [`crates`](crate::crates) |
//! | `label:order=42` | the task has the label; `label:order` whatever its value |
//! | `id:7` | a number equals; `thread:7` and `runtime:7` too |
//! | `busy>100ms` | `>`, `>=`, `<`, `<=`, `=` with `ns us ms s m h d`, with `k M G`, for `bytes` with `k M G` of 1024 |
//! | `!term` | not |
//!
//! Terms stand beside each other and all must hold. A value that was not measured passes no comparison, so
//! `!busy>1s` also shows the tasks that are not timed.
//!
//! ```
//! use pollscope_proto::filter::Filter;
//! let filter: Filter = "settle !state:idle busy>100ms".parse()?;
//! assert_eq!(filter.to_string(), "settle !state:idle busy>100ms");
//! assert_eq!("bsy>1s".parse::<Filter>().unwrap_err().to_string(),
//!     "column 1: no key `bsy`; quote it to search for it as text");
//! # Ok::<(), pollscope_proto::filter::FilterError>(())
//! ```

mod parse;
mod text;
mod value;

pub use parse::FilterError;
pub use text::{contains_folded, equals_folded};
pub use value::time_ns;

/// A filter that was understood. The empty filter matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// In lower case.
    Anywhere(String),
    /// In lower case.
    Contains(TextKey, String),
    Is(WordKey, &'static str),
    Crate(String),
    /// Key and value in lower case; without a value any will do.
    Label(String, Option<String>),
    Compare(NumberKey, Comparison, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

macro_rules! keys {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All keys of this sort.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The key as written in a filter.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            fn find(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|key| key.as_str() == text)
            }
        }
    };
}

keys! {
    /// A field that is searched for text.
    TextKey {
        /// The task's name.
        Name = "name",
        /// `file:line` of the spawn site.
        Site = "site",
        /// The future's type.
        Type = "type",
        /// The span the task runs in.
        Span = "span",
        /// The name of the thread that polls it now.
        Thread = "thread",
        /// The name of its runtime.
        Runtime = "runtime",
    }
}

keys! {
    /// A field that is one of a few words.
    WordKey {
        /// `running`, `scheduled`, `idle`, `unpolled` or `done`.
        State = "state",
        /// `task`, `local`, `blocking`, `block_on`, `request` or `foreign`.
        Kind = "kind",
        /// `none`, `ok`, `error`, `panic` or `aborted`.
        Outcome = "outcome",
        /// `none`, `info`, `warn`, `error`, or `any` for one of the last three.
        Warned = "warned",
    }
}

/// The key by which a filter asks for a label.
const LABEL: &str = "label";
/// The key by which it asks for a crate.
const CRATE: &str = "crate";

impl WordKey {
    /// The words that a filter may ask for.
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::State => &["running", "scheduled", "idle", "unpolled", "done"],
            Self::Kind => &[
                "task", "local", "blocking", "block_on", "request", "foreign",
            ],
            Self::Outcome => &["none", "ok", "error", "panic", "aborted"],
            Self::Warned => &["any", "none", "info", "warn", "error"],
        }
    }
}

keys! {
    /// A field that is a number.
    NumberKey {
        /// The task's id.
        Id = "id",
        /// The thread that polls it now.
        Thread = "thread",
        /// Its runtime.
        Runtime = "runtime",
        /// The task that spawned it.
        Parent = "parent",
        /// Nanoseconds since its creation.
        Age = "age",
        /// Nanoseconds in polls.
        Busy = "busy",
        /// Nanoseconds of its longest poll.
        Max = "max",
        /// Nanoseconds of the poll that runs now.
        Current = "current",
        /// Nanoseconds from wakes to polls.
        Scheduled = "scheduled",
        /// Nanoseconds waiting to be woken.
        Idle = "idle",
        /// Number of polls.
        Polls = "polls",
        /// Number of wakes.
        Wakes = "wakes",
        /// Number of wakes by itself.
        SelfWakes = "self_wakes",
        /// Size of the future.
        Bytes = "bytes",
        /// Tasks of the site that are alive.
        Live = "live",
        /// Tasks ever spawned at the site.
        Spawned = "spawned",
        /// Tasks of the site that ended.
        Ended = "ended",
    }
}

/// What a filter asks of a row. Methods return what they have; the defaults are for fields a row has not.
///
/// Nothing here allocates: the target calls it for each of its tasks.
pub trait Fields {
    /// A text to search, or `None` where the row has none.
    fn text(&self, key: TextKey) -> Option<&str>;

    /// The row's word, one of [`WordKey::words`]; `none` where it has none.
    fn word(&self, key: WordKey) -> &str;

    /// A number in the key's unit, or `None` where it was not measured.
    fn number(&self, key: NumberKey) -> Option<u64>;

    /// Whether the row has a label of this key, and of this value where one is asked for. Both are in lower case: see
    /// [`equals_folded`].
    fn has_label(&self, key: &str, value: Option<&str>) -> bool {
        let _ = (key, value);
        false
    }

    /// Whether the row is of this crate: see [`crates`](crate::crates).
    fn is_of_crate(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// Whether `file:line` of the spawn site contains the text. `needle` is in lower case.
    ///
    /// Override it where the site is not kept as one text.
    fn site_contains(&self, needle: &str) -> bool {
        self.text(TextKey::Site)
            .is_some_and(|site| contains_folded(site, needle))
    }
}

impl Filter {
    /// Whether the filter lets everything pass.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the row passes. Allocates nothing.
    pub fn matches(&self, row: &impl Fields) -> bool {
        self.terms
            .iter()
            .all(|term| term.test.holds(row) != term.negated)
    }
}

impl Test {
    fn holds(&self, row: &impl Fields) -> bool {
        match self {
            Self::Anywhere(needle) => [TextKey::Name, TextKey::Site, TextKey::Type, TextKey::Span]
                .into_iter()
                .any(|key| contains(row, key, needle)),
            Self::Contains(key, needle) => contains(row, *key, needle),
            Self::Is(WordKey::Warned, "any") => row.word(WordKey::Warned) != "none",
            Self::Is(key, word) => row.word(*key) == *word,
            Self::Crate(name) => row.is_of_crate(name),
            Self::Label(key, value) => row.has_label(key, value.as_deref()),
            Self::Compare(key, comparison, value) => row
                .number(*key)
                .is_some_and(|have| comparison.holds(have, *value)),
        }
    }
}

fn contains(row: &impl Fields, key: TextKey, needle: &str) -> bool {
    if key == TextKey::Site {
        return row.site_contains(needle);
    }
    row.text(key)
        .is_some_and(|text| contains_folded(text, needle))
}

impl Comparison {
    const fn holds(self, have: u64, value: u64) -> bool {
        match self {
            Self::Less => have < value,
            Self::AtMost => have <= value,
            Self::Equal => have == value,
            Self::AtLeast => have >= value,
            Self::More => have > value,
        }
    }
}

#[cfg(test)]
mod tests;
