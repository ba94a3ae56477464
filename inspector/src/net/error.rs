//! What can go wrong with a target, in one line that says what to do, and the exit code of each.

use std::fmt;
use std::io;
use std::time::Duration;

use super::Address;

/// An error of finding or talking to a target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// Nothing goes by that name.
    #[error("no target `{target}`: {why}")]
    NoTarget { target: String, why: String },

    /// The address exists and nobody listens.
    #[error("nothing listens at {address} ({source}){}", hint(.address))]
    NotListening { address: Address, source: io::Error },

    /// It may well be there: that one cannot connect has another reason.
    #[error("cannot connect to {address}: {source}")]
    Unreachable { address: Address, source: io::Error },

    /// Another user's, or no right to do that.
    #[error("{what}: {why}")]
    Denied { what: String, why: String },

    /// Something answers that is no target.
    #[error("{address} does not speak pollscope's protocol ({why}): is it the right port?")]
    NotPollscope { address: Address, why: String },

    /// Connected, and no answer.
    #[error("{address} does not answer within {}: the process may be stopped, or it is no target", Seconds(*.limit))]
    Silent { address: Address, limit: Duration },

    /// No protocol version that both sides speak.
    #[error("{address} speaks protocol {theirs}, this pollscope {ours}: {}{}", advice(*.theirs_is_newer), suffix(.why))]
    Version {
        address: Address,
        ours: Versions,
        theirs: Versions,
        theirs_is_newer: bool,
        why: String,
    },

    /// The target understood and will not do it.
    #[error("{0}")]
    Refused(String),

    /// What was asked makes no sense to the target.
    #[error("{0}")]
    Invalid(String),

    /// This version cannot do it.
    #[error("{0}")]
    Unsupported(String),

    /// It was there and is gone.
    #[error("lost {address}: {why}")]
    Lost { address: Address, why: String },
}

impl NetError {
    /// The exit code of the command line's contract.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid(_) => 2,
            Self::NoTarget { .. } | Self::NotListening { .. } => 3,
            Self::Unreachable { .. }
            | Self::Denied { .. }
            | Self::NotPollscope { .. }
            | Self::Silent { .. }
            | Self::Version { .. }
            | Self::Refused(_)
            | Self::Unsupported(_) => 4,
            Self::Lost { .. } => 5,
        }
    }
}

/// A range of protocol versions: `1`, `1-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub min: u32,
    pub max: u32,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}", self.min)
        } else {
            write!(f, "{}-{}", self.min, self.max)
        }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

const fn hint(address: &Address) -> &'static str {
    match address {
        Address::Unix(_) => ": its process is gone",
        Address::Tcp(_) => ": `pollscope ps` lists what is here",
    }
}

const fn advice(theirs_is_newer: bool) -> &'static str {
    if theirs_is_newer {
        "update the pollscope command"
    } else {
        "update the pollscope crate of the program"
    }
}

fn suffix(why: &str) -> String {
    if why.is_empty() {
        String::new()
    } else {
        format!(" ({why})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_and_say_what_to_do() {
        let address = Address::Tcp("127.0.0.1:80".to_owned());
        let version = NetError::Version {
            address: address.clone(),
            ours: Versions { min: 1, max: 1 },
            theirs: Versions { min: 2, max: 4 },
            theirs_is_newer: true,
            why: String::new(),
        };
        assert_eq!(
            version.to_string(),
            "127.0.0.1:80 speaks protocol 2-4, this pollscope 1: update the pollscope command"
        );
        let silent = NetError::Silent {
            address,
            limit: Duration::from_millis(2500),
        };
        assert_eq!(
            silent.to_string(),
            "127.0.0.1:80 does not answer within 2.5 s: the process may be stopped, or it is no target"
        );
        assert_eq!((version.exit_code(), silent.exit_code()), (4, 4));
    }
}
