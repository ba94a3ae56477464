//! What a client may change: level, threshold, log level, depth of backtraces, and whether findings are put together.

use pollscope_capture::level::{self, Level, Source};
use pollscope_proto::v1;
use tonic::Status;

use super::rows;
use crate::config::LogLevel;

/// Changes what the request names, all of it or nothing.
///
/// # Errors
/// `INVALID_ARGUMENT` where a value is none, `FAILED_PRECONDITION` where the level cannot be changed any more.
pub(super) fn configure(request: &v1::ConfigureRequest) -> Result<v1::ConfigureReply, Status> {
    let to = match request.level() {
        v1::Level::Unspecified if request.level == 0 => None,
        v1::Level::Quiet => Some(Level::Quiet),
        v1::Level::Debug => Some(Level::Debug),
        v1::Level::Off => {
            return Err(Status::invalid_argument(
                "level off cannot be set from outside: nothing could switch it on again; use quiet",
            ));
        }
        v1::Level::Unspecified => {
            return Err(Status::invalid_argument(
                "unknown level: use quiet or debug",
            ));
        }
    };
    let log = match request.log_level.as_str() {
        "" => None,
        text => Some(
            text.parse::<LogLevel>()
                .map_err(|error| Status::invalid_argument(format!("log: {error}")))?,
        ),
    };
    if let Some(to) = to
        && to != level::level()
        && !level::set_level(to, Source::Inspector)
    {
        return Err(Status::failed_precondition(
            "the program started with level off: start it with POLLSCOPE=debug",
        ));
    }
    if let Some(ns) = request.slow_poll_ns {
        level::set_slow_poll_ns(ns);
    }
    if let Some(depth) = request.backtrace_depth {
        level::set_depth(depth);
    }
    if let Some(dedupe) = request.dedupe {
        level::set_dedupe(dedupe);
    }
    if let Some(log) = log {
        crate::emit::set_level(log);
    }
    Ok(v1::ConfigureReply {
        level: rows::level(level::level()).into(),
        slow_poll_ns: level::slow_poll_ns(),
        log_level: crate::emit::level().name().to_owned(),
        backtrace_depth: level::depth(),
        dedupe: Some(level::dedupes()),
    })
}
