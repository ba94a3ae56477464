//! Names and lines of frames, for a viewer that cannot read the executable.

use std::sync::Arc;
use std::time::Duration;

use pollscope_proto::limits::MAX_MESSAGE;
use pollscope_proto::v1;
use prost::Message;
use tokio::sync::Semaphore;
use tonic::Status;

use super::rows;
use crate::symbols::{Answer, Frame, Line, Symbols};

/// The first question may have to read the index of a large executable.
const PATIENCE: Duration = Duration::from_secs(30);
/// Source frames of one machine frame that are told.
const MAX_LINES: usize = 32;
/// A reply is closed once it has passed this. Viewers that do not ask for the rest ask for up to 512 frames at a time,
/// and 1 KB for each is more than names mostly take.
const REPLY_BYTES: usize = MAX_MESSAGE / 2;
/// Tag and length of a frame inside the reply.
const AROUND: usize = 5;

/// Asks the resolving thread, and waits for it without holding up the server.
///
/// # Errors
/// `UNIMPLEMENTED` without the feature, `RESOURCE_EXHAUSTED` where too many ask, `DEADLINE_EXCEEDED` where it
/// takes too long.
pub(super) async fn resolve(
    symbols: &Symbols,
    room: &Arc<Semaphore>,
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
    let too_many =
        || Status::resource_exhausted("too many frames wait to be resolved: ask again in a moment");
    // Until there is an answer, also where nobody waits for it any more.
    let place = Arc::clone(room)
        .try_acquire_owned()
        .map_err(|_full| too_many())?;
    let (sender, answer) = tokio::sync::oneshot::channel::<Answer>();
    // Nobody may wait any more by then.
    let tell = move |lines| {
        drop(place);
        drop(sender.send(lines));
    };
    if !symbols.ask(frames.collect(), tell) {
        return Err(too_many());
    }
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    let answer = answer.map_err(|_elapsed| {
        Status::deadline_exceeded("resolving takes too long: use --symbols FILE")
    })?;
    let answer = answer
        .map_err(|_gone| Status::internal("resolving failed; this is a defect of pollscope"))?;
    Ok(reply(answer))
}

/// As many answers as fit into one message: one at least, since a frame's fit however long its names are.
fn reply(answer: Answer) -> v1::ResolveReply {
    let mut bytes = 0;
    let frames = answer.into_iter().map(resolved).take_while(|frame| {
        let fits = bytes < REPLY_BYTES;
        bytes += frame.encoded_len() + AROUND;
        fits
    });
    v1::ResolveReply {
        frames: frames.collect(),
    }
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

#[cfg(test)]
mod tests {
    use pollscope_proto::limits::{MAX_MESSAGE, MAX_RESOLVE_FRAMES};

    use super::*;

    /// What generic code is named is longer than most messages.
    #[test]
    fn long_names_are_told_as_far_as_a_message_goes() {
        let line = Line {
            function: "f".repeat(5_000),
            file: "s".repeat(5_000),
            line: u32::MAX,
            inlined: true,
        };
        let long = vec![vec![line; 100]; MAX_RESOLVE_FRAMES];
        let told = reply(long.clone());
        assert!(told.encoded_len() <= MAX_MESSAGE, "{}", told.encoded_len());
        assert!(!told.frames.is_empty() && told.frames.len() < long.len());
        assert!(
            told.frames
                .iter()
                .all(|frame| frame.source.len() == MAX_LINES)
        );

        let short = vec![Vec::new(); MAX_RESOLVE_FRAMES];
        assert_eq!(reply(short).frames.len(), MAX_RESOLVE_FRAMES);
    }
}
