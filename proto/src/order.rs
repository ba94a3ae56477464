//! The columns that rows can be ordered by: what a view asks for and a target sorts by.

use std::fmt;
use std::str::FromStr;

macro_rules! orders {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $first:ident, [$($of:ident),*];)*) => {
        /// A column to order rows by. On the wire it is its [`Display`](fmt::Display) text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Order {
            $($(#[$doc])* $name,)*
        }

        impl Order {
            /// All columns.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name on the wire and in the header of a screen.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What the column belongs to.
            const fn rows(self) -> &'static [Rows] {
                match self {
                    $(Self::$name => &[$(Rows::$of),*],)*
                }
            }

            const fn first(self) -> First {
                match self {
                    $(Self::$name => First::$first,)*
                }
            }
        }
    };
}

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Rows of tasks.
    Tasks,
    /// Rows of spawn sites.
    Sites,
    /// Rows of threads.
    Threads,
}

#[derive(Clone, Copy)]
enum First {
    Largest,
    Smallest,
}

orders! {
    /// The identity: the order of creation.
    Id = "id", Smallest, [Tasks, Sites, Threads];
    /// The name, or the site of a task that has none.
    Name = "name", Smallest, [Tasks, Threads];
    /// Running first, then scheduled, idle, unpolled, done.
    State = "state", Smallest, [Tasks, Threads];
    /// Time since the creation.
    Age = "age", Largest, [Tasks, Sites];
    /// Time in polls.
    Busy = "busy", Largest, [Tasks, Sites, Threads];
    /// The longest poll.
    Max = "max", Largest, [Tasks, Sites];
    /// Number of polls.
    Polls = "polls", Largest, [Tasks, Sites, Threads];
    /// Number of wakes.
    Wakes = "wakes", Largest, [Tasks];
    /// Number of wakes by the task itself.
    SelfWakes = "self_wakes", Largest, [Tasks];
    /// Time from wake to poll.
    Scheduled = "scheduled", Largest, [Tasks, Sites];
    /// Time waiting to be woken.
    Idle = "idle", Largest, [Tasks];
    /// The spawn site.
    Site = "site", Smallest, [Tasks, Sites];
    /// The size of the future.
    Bytes = "bytes", Largest, [Tasks, Sites];
    /// The runtime.
    Runtime = "runtime", Smallest, [Tasks, Threads];
    /// The kind of task.
    Kind = "kind", Smallest, [Tasks, Sites];
    /// The worst severity of the warnings.
    Warned = "warned", Largest, [Tasks, Sites];
    /// The poll that runs now.
    Current = "current", Largest, [Tasks, Threads];
    /// Tasks alive.
    Live = "live", Largest, [Sites];
    /// Growth of the tasks alive, per minute.
    Growth = "growth", Largest, [Sites];
    /// Tasks ever spawned.
    Spawned = "spawned", Largest, [Sites];
    /// Tasks ended.
    Ended = "ended", Largest, [Sites];
    /// How long tasks lived.
    Lifetime = "lifetime", Largest, [Sites];
}

impl Order {
    /// Whether rows of that kind have the column.
    pub fn is_of(self, rows: Rows) -> bool {
        self.rows().contains(&rows)
    }

    /// Whether one wants to see the largest first: so for numbers, not for names.
    pub const fn largest_first(self) -> bool {
        matches!(self.first(), First::Largest)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// There is no such column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOrder;

impl fmt::Display for UnknownOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such column; there are ")?;
        for (at, order) in Order::ALL.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{order}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownOrder {}

impl FromStr for Order {
    type Err = UnknownOrder;

    fn from_str(text: &str) -> Result<Self, UnknownOrder> {
        Self::ALL
            .iter()
            .copied()
            .find(|order| order.as_str() == text)
            .ok_or(UnknownOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_distinct() {
        for order in Order::ALL {
            assert_eq!(order.to_string().parse(), Ok(*order));
        }
        assert_eq!("bu".parse::<Order>(), Err(UnknownOrder));
        assert!(UnknownOrder.to_string().contains("id, name, state"));
    }

    #[test]
    fn columns_know_their_rows_and_direction() {
        assert!(Order::Wakes.is_of(Rows::Tasks));
        assert!(!Order::Wakes.is_of(Rows::Sites));
        assert!(Order::Live.is_of(Rows::Sites));
        assert!(Order::Busy.largest_first());
        assert!(!Order::Name.largest_first());
    }
}
