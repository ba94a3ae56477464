//! How a command ends: the exit codes of the contract, and one line on stderr that says why.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::net::NetError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exit {
    Ok,
    /// `report --fail-on` matched; `track` found what is not tracked, or is no Rust.
    Matched,
    Usage,
    NoTarget,
    Refused,
    Lost,
    OurFault,
    /// The status of a program that we started, or of the screen.
    Status(ExitCode),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Status(status) => status,
            exit => exit.code().into(),
        }
    }
}

impl Exit {
    /// The number of the contract.
    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Matched => 1,
            Self::Usage => 2,
            Self::NoTarget => 3,
            Self::Refused => 4,
            Self::Lost => 5,
            Self::OurFault | Self::Status(_) => 70,
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Usage(clap::Error),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("{1}")]
    Message(Exit, String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code()),
            Self::Net(error) => error.exit_code(),
            Self::Message(exit, _) => return (*exit).into(),
            Self::Other(error) => error
                .downcast_ref::<NetError>()
                .map_or(Exit::OurFault.code(), NetError::exit_code),
            Self::Io(_) | Self::Json(_) => Exit::OurFault.code(),
        };
        code.into()
    }

    /// Whoever read our output has had enough.
    fn is_closed_pipe(&self) -> bool {
        let closed = |kind: io::ErrorKind| kind == io::ErrorKind::BrokenPipe;
        match self {
            Self::Io(error) => closed(error.kind()),
            Self::Json(error) => error.io_error_kind().is_some_and(closed),
            _ => false,
        }
    }
}

/// Runs a command and turns its end into the exit code of the process. A panic is our own fault.
pub(super) fn guarded(command: impl FnOnce() -> Result<Exit, Failure>) -> ExitCode {
    match catch_unwind(AssertUnwindSafe(command)) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            let code = failure.exit_code();
            match failure {
                // Help and version are no errors, and go where clap sends them.
                Failure::Usage(error) => drop(error.print()),
                failure => say(&format!("{failure:#}")),
            }
            code
        }
        // The hook has told what happened.
        Err(_) => Exit::OurFault.code().into(),
    }
}

/// Writes a line for people. Where stderr is closed there is nobody to tell.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "pollscope: {line}");
}

/// Prints to stdout in one go.
pub(super) fn print(
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_contract() {
        let lost = NetError::Invalid("x".to_owned());
        let wrapped = anyhow::Error::from(NetError::Unsupported("x".to_owned()));
        for (failure, code) in [
            (Failure::from(lost), 2),
            (Failure::from(wrapped.context("attaching")), 4),
            (Failure::from(anyhow::anyhow!("x")), 70),
            (Failure::Io(io::ErrorKind::Other.into()), 70),
            (Failure::Message(Exit::Lost, String::new()), 5),
        ] {
            assert_eq!(failure.exit_code(), ExitCode::from(code), "{failure}");
        }
        assert!(Failure::Io(io::ErrorKind::BrokenPipe.into()).is_closed_pipe());
    }

    #[test]
    fn a_panic_is_our_fault() {
        let code = guarded(|| panic!("a test panics"));
        assert_eq!(code, ExitCode::from(70));
    }
}
