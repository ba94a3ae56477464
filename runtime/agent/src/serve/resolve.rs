//! Names and lines of frames, for a viewer that cannot read the executable.

use std::time::Duration;

use pollscope_proto::v1;
use tonic::Status;

use super::rows;
use crate::symbols::{Answer, Frame, Line, Symbols};

/// The first question may have to read the index of a large executable.
const PATIENCE: Duration = Duration::from_secs(30);
/// Source frames of one machine frame that are told.
const MAX_LINES: usize = 32;

/// Asks the resolving thread, and waits for it without holding up the server.
///
/// # Errors
/// `UNIMPLEMENTED` without the feature, `RESOURCE_EXHAUSTED` where too many ask, `DEADLINE_EXCEEDED` where it
/// takes too long.
pub(super) async fn resolve(
    symbols: &Symbols,
    frames: &[v1::Frame],
) -> Result<v1::ResolveReply, Status> {
    if !Symbols::is_there() {
        return Err(Status::unimplemented(
            "the program was built without the feature `symbols`: give the inspector --symbols FILE",
        ));
    }
    // A frame in no module still has its place in the answer.
    let frames = frames.iter().map(|frame| Frame {
        module: frame.module,
        // The wire carries what is one past the instruction.
        offset: frame.offset.saturating_sub(1),
    });
    let (sender, answer) = tokio::sync::oneshot::channel::<Answer>();
    // Nobody may wait any more by then.
    if !symbols.ask(frames.collect(), move |lines| drop(sender.send(lines))) {
        return Err(Status::resource_exhausted(
            "too many frames wait to be resolved: ask again in a moment",
        ));
    }
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    let answer = answer.map_err(|_elapsed| {
        Status::deadline_exceeded("resolving takes too long: use --symbols FILE")
    })?;
    let answer = answer
        .map_err(|_gone| Status::internal("resolving failed; this is a defect of pollscope"))?;
    Ok(v1::ResolveReply {
        frames: answer.into_iter().map(resolved).collect(),
    })
}

fn resolved(lines: Vec<Line>) -> v1::ResolvedFrame {
    let source = lines
        .into_iter()
        .take(MAX_LINES)
        .map(|line| v1::SourceFrame {
            function: rows::text(&line.function),
            file: rows::text(&line.file),
            line: line.line,
            inlined: line.inlined,
        });
    v1::ResolvedFrame {
        source: source.collect(),
    }
}
