//! Codecs of tokio-util and streams of futures and tokio-stream, put together and taken apart half-way.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::stream::{self, FuturesUnordered};
use futures::{SinkExt, StreamExt, TryStreamExt};
use pollscope::task::JoinSet;
use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{interval, timeout};
use tokio_stream::wrappers::{BroadcastStream, IntervalStream, ReceiverStream};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{Framed, LengthDelimitedCodec, LinesCodec};

use crate::load::{Load, Outcome};

pub(crate) async fn run(load: Load) -> Outcome {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let served = pollscope::spawn(serve(listener, stopped));
    let mut work = JoinSet::new();
    for _ in 0..3 {
        work.spawn(dial(load.clone(), addr));
        work.spawn(again(load.clone(), lines));
        work.spawn(again(load.clone(), unordered));
        work.spawn(again(load.clone(), pipeline));
        work.spawn(again(load.clone(), told));
    }
    while let Some(end) = work.join_next().await {
        end??;
    }
    stop.send(()).map_err(|()| "the server is gone")?;
    served.await??;
    Ok(())
}

#[pollscope::tracked]
async fn again<W>(load: Load, work: W) -> Outcome
where
    W: AsyncFn(&Load) -> Outcome,
{
    while load.goes_on() {
        work(&load).await?;
    }
    Ok(())
}

#[pollscope::tracked]
async fn serve(listener: TcpListener, mut stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        // Tokio's own, with nothing tracked in it.
        tokio::select! {
            accepted = listener.accept() => connections.spawn(echo(accepted?.0)),
            Some(_) = connections.join_next() => continue,
            _ = &mut stopped => break,
        };
    }
    // As above, also of one that failed while the service stopped: `shutdown` asks nobody.
    connections.abort_all();
    while let Some(end) = connections.join_next().await {
        drop(end);
    }
    Ok(())
}

/// What comes goes back.
#[pollscope::tracked]
async fn echo<S: AsyncRead + AsyncWrite>(stream: S) -> io::Result<()> {
    let framed = Framed::new(stream, LengthDelimitedCodec::new());
    let (sink, stream) = framed.split();
    stream.map_ok(BytesMut::freeze).forward(sink).await
}

#[pollscope::tracked]
async fn dial(load: Load, addr: SocketAddr) -> Outcome {
    while load.goes_on() {
        frames(TcpStream::connect(addr).await?, &load).await?;
    }
    Ok(())
}

/// Frames of many sizes, of which as many are under way as fit.
#[pollscope::tracked]
async fn frames(stream: TcpStream, load: &Load) -> Outcome {
    let (mut sink, mut stream) = Framed::new(stream, LengthDelimitedCodec::new()).split();
    let sends = async {
        for size in 0..64_usize {
            sink.feed(Bytes::from(vec![1; size * 97])).await?;
        }
        sink.flush().await
    };
    let reads = async {
        for size in 0..64_usize {
            let Some(frame) = stream.try_next().await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            assert_eq!(frame.len(), size * 97);
            load.count();
        }
        Ok(())
    };
    pollscope::try_join!(sends, reads)?;
    Ok(())
}

/// Lines through a pipe that is too small for them, and one that is too long for its codec.
async fn lines(load: &Load) -> Outcome {
    let (ours, theirs) = duplex(64);
    let writes = pollscope::spawn(async move {
        let mut lines = Framed::new(ours, LinesCodec::new());
        for number in 0..50 {
            lines.send(format!("line {number}")).await?;
        }
        lines.send("x".repeat(200)).await
    });
    let mut lines = Framed::new(theirs, LinesCodec::new_with_max_length(100));
    let mut seen = 0;
    let end = loop {
        match lines.next().await {
            Some(Ok(_)) => seen += 1,
            end => break end,
        }
    };
    assert_eq!(seen, 50);
    assert!(matches!(end, Some(Err(_))), "the long one");
    load.was_refused();
    // Its reader leaves: the error is its own, and it is read.
    drop(lines);
    let written = writes.await?;
    drop(written);
    load.count();
    Ok(())
}

/// Some at once, in any order; the last are never waited for.
async fn unordered(load: &Load) -> Outcome {
    let squares = stream::iter(0..100_u64).map(square).buffer_unordered(16);
    let squares: Vec<u64> = squares.take(60).collect().await;
    assert_eq!(squares.len(), 60);
    let mut waits: FuturesUnordered<_> = (0..20).map(square).collect();
    for _ in 0..5 {
        waits.next().await;
    }
    drop(waits);
    let ordered = stream::iter(0..40_u64).map(|number| pollscope::spawn(square(number)));
    let mut ordered = ordered.buffered(8);
    while let Some(square) = ordered.next().await {
        square?;
        load.count();
    }
    let failed = stream::iter(0..40_u64)
        .map(Ok)
        .try_for_each_concurrent(4, odd);
    if failed.await.is_err() {
        load.was_refused();
    }
    Ok(())
}

#[pollscope::tracked]
async fn square(number: u64) -> u64 {
    for _ in 0..number % 4 {
        tokio::task::yield_now().await;
    }
    number * number
}

#[pollscope::tracked]
async fn odd(number: u64) -> Result<(), String> {
    square(number).await;
    if number == 30 {
        return Err("thirty".into());
    }
    Ok(())
}

/// Stages with channels between, in tasks; whoever ends first ends the others.
async fn pipeline(load: &Load) -> Outcome {
    let (give, numbers) = mpsc::channel(4);
    let (pass, squares) = mpsc::channel(4);
    let mut stages = JoinSet::new();
    stages.spawn(async move {
        for number in 0_u64.. {
            if give.send(number).await.is_err() {
                return;
            }
        }
    });
    stages.spawn(async move {
        // A plain block around the tracked function: the newest may be dropped in the very poll that made it.
        let squared = |number| async move { square(number).await };
        let mut squares = ReceiverStream::new(numbers).map(squared).buffered(4);
        while let Some(square) = squares.next().await {
            if pass.send(square).await.is_err() {
                return;
            }
        }
    });
    let ticks = IntervalStream::new(interval(Duration::from_millis(1))).map(|_| 0);
    let both = tokio_stream::StreamExt::merge(ReceiverStream::new(squares), ticks);
    let chunks = tokio_stream::StreamExt::chunks_timeout(both, 8, Duration::from_millis(5));
    let mut chunks = std::pin::pin!(chunks.take(10));
    while chunks.next().await.is_some() {
        load.count();
    }
    // Some are still at it.
    load.was_cancelled();
    Ok(())
}

/// A broadcast whose readers fall behind, and a reader that waits for what does not come.
async fn told(load: &Load) -> Outcome {
    let (tell, _) = broadcast::channel(8);
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        readers.spawn(listen(BroadcastStream::new(tell.subscribe())));
    }
    for number in 0..32_u64 {
        tell.send(number)?;
        if number.is_multiple_of(8) {
            tokio::task::yield_now().await;
        }
    }
    let silent = BroadcastStream::new(tell.subscribe());
    if timeout(Duration::from_millis(2), listen(silent))
        .await
        .is_err()
    {
        load.was_late();
    }
    drop(tell);
    while let Some(heard) = readers.join_next().await {
        assert!(heard? <= 32);
        load.count();
    }
    Ok(())
}

#[pollscope::tracked]
async fn listen(mut told: BroadcastStream<u64>) -> usize {
    let mut heard = 0;
    while let Some(told) = told.next().await {
        heard += usize::from(told.is_ok());
    }
    heard
}
