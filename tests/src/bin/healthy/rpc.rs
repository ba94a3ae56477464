//! A tonic service with its client: calls, streams in both directions, deadlines, streams that are left half read.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http_body_util::BodyExt;
use pollscope::task::JoinSet;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse};
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::load::{Load, Outcome};

const CLIENTS: usize = 6;
/// How many messages a stream has.
const LONG: u64 = 40;

/// The one message, by hand: what it means depends on the call.
#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    value: u64,
}

type Answer<T> = Result<Response<T>, Status>;
type Numbers = ReceiverStream<Result<Number, Status>>;

pub(crate) async fn run(load: Load) -> Outcome {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    // tonic spawns its connections by itself; what the calls spawn is ours.
    let served = pollscope::spawn(async move {
        Server::builder()
            .layer(pollscope::tower::layer())
            .add_service(Numbered)
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stopped.notified())
            .await
    });
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let channel = Endpoint::from_shared(format!("http://{addr}"))?
            .executor(pollscope::hyper::Executor::new())
            .connect_timeout(Duration::from_secs(10))
            .connect()
            .await?;
        clients.spawn(drive(load.clone(), channel, number));
    }
    while let Some(end) = clients.join_next().await {
        end??;
    }
    stop.notify_one();
    served.await??;
    Ok(())
}

/// The service, as generated code would have it.
#[derive(Clone, Copy, Debug)]
struct Numbered;

impl NamedService for Numbered {
    const NAME: &'static str = "test.Numbered";
}

impl Service<HttpRequest<Body>> for Numbered {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(async move {
            let request = request.map(|body| body.map_err(|status| status));
            let codec = ProstCodec::<Number, Number>::default();
            let mut grpc = tonic::server::Grpc::new(codec);
            Ok(match request.uri().path() {
                "/test.Numbered/Square" => grpc.unary(service_fn(square), request).await,
                "/test.Numbered/Count" => grpc.server_streaming(service_fn(count), request).await,
                "/test.Numbered/Sum" => grpc.client_streaming(service_fn(sum), request).await,
                _ => grpc.streaming(service_fn(echo), request).await,
            })
        })
    }
}

#[pollscope::tracked]
async fn square(request: Request<Number>) -> Answer<Number> {
    let value = request.into_inner().value;
    if value.is_multiple_of(11) {
        sleep(Duration::from_millis(100)).await;
    }
    if value.is_multiple_of(7) {
        return Err(Status::invalid_argument("a seventh"));
    }
    let squared = pollscope::spawn(async move { value.wrapping_mul(value) });
    let value = squared
        .await
        .map_err(|end| Status::internal(end.to_string()))?;
    Ok(Response::new(Number { value }))
}

#[pollscope::tracked]
async fn count(request: Request<Number>) -> Answer<Numbers> {
    let (give, given) = mpsc::channel(4);
    let upto = request.into_inner().value;
    // Who reads may go away in the middle: then there is nothing left to do.
    pollscope::spawn(async move {
        for value in 0..upto {
            if give.send(Ok(Number { value })).await.is_err() {
                return;
            }
        }
    });
    Ok(Response::new(ReceiverStream::new(given)))
}

#[pollscope::tracked]
async fn sum(request: Request<Streaming<Number>>) -> Answer<Number> {
    let mut numbers = request.into_inner();
    let mut value = 0;
    while let Some(number) = numbers.message().await? {
        value += number.value;
    }
    Ok(Response::new(Number { value }))
}

#[pollscope::tracked]
async fn echo(request: Request<Streaming<Number>>) -> Answer<Numbers> {
    let (give, given) = mpsc::channel(4);
    let mut numbers = request.into_inner();
    pollscope::spawn(async move {
        while let Some(Ok(number)) = numbers.next().await {
            if give.send(Ok(number)).await.is_err() {
                return;
            }
        }
    });
    Ok(Response::new(ReceiverStream::new(given)))
}

#[pollscope::tracked]
async fn drive(load: Load, channel: Channel, number: usize) -> Outcome {
    let mut client = Client::new(channel);
    let mut step = number as u64;
    while load.goes_on() {
        step += 1;
        match step % 6 {
            0 => counted(&mut client, LONG).await?,
            // Left in the middle.
            1 => counted(&mut client, 3).await?,
            2 => {
                let sum = client.sum(LONG).await?;
                assert_eq!(sum, LONG * (LONG - 1) / 2);
            }
            3 => echoed(&mut client).await?,
            4 => both(&client, step).await?,
            _ => match timeout(Duration::from_millis(20), client.square(step)).await {
                Err(_) => load.was_late(),
                Ok(Err(_)) => load.was_refused(),
                Ok(Ok(_)) => {}
            },
        }
        if step.is_multiple_of(50) {
            let mut other = client.clone();
            let asked = pollscope::spawn(async move { other.square(22).await.ok() });
            tokio::task::yield_now().await;
            asked.abort();
            if asked.await.is_err() {
                load.was_cancelled();
            }
        }
        load.count();
    }
    Ok(())
}

/// Two calls at once, and one that the other overtakes.
#[pollscope::tracked]
async fn both(client: &Client, step: u64) -> Outcome {
    let (mut one, mut two) = (client.clone(), client.clone());
    let (one_is, two_is) = pollscope::join!(one.square(2), two.square(3));
    assert_eq!((one_is?, two_is?), (4, 9));
    pollscope::select! {
        squared = one.square(11 * step) => drop(squared),
        squared = two.square(1) => assert_eq!(squared?, 1),
    }
    Ok(())
}

/// Reads so many of a stream's messages, and drops the rest.
#[pollscope::tracked]
async fn counted(client: &mut Client, most: u64) -> Outcome {
    let mut numbers = client.count(LONG).await?;
    let mut seen = 0;
    while seen < most
        && let Some(number) = numbers.message().await?
    {
        assert_eq!(number.value, seen);
        seen += 1;
    }
    assert_eq!(seen, most);
    Ok(())
}

/// A dialogue.
#[pollscope::tracked]
async fn echoed(client: &mut Client) -> Outcome {
    let (give, given) = mpsc::channel(2);
    let asks = pollscope::spawn(async move {
        for value in 0..LONG {
            if give.send(Number { value }).await.is_err() {
                return false;
            }
        }
        true
    });
    let mut echoed = client.echo(ReceiverStream::new(given)).await?;
    for value in 0..LONG {
        assert_eq!(echoed.message().await?, Some(Number { value }));
    }
    assert!(asks.await?);
    Ok(())
}

/// The client, as generated code would have it.
#[derive(Clone, Debug)]
struct Client(tonic::client::Grpc<Channel>);

impl Client {
    fn new(channel: Channel) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    #[pollscope::tracked]
    async fn ready(&mut self) -> Result<(), Status> {
        let ready = self.0.ready().await;
        ready.map_err(|why| Status::unavailable(why.to_string()))
    }

    #[pollscope::tracked]
    async fn square(&mut self, value: u64) -> Result<u64, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/test.Numbered/Square");
        let request = Request::new(Number { value });
        let answer = self.0.unary(request, path, codec()).await?;
        Ok(answer.into_inner().value)
    }

    #[pollscope::tracked]
    async fn count(&mut self, value: u64) -> Result<Streaming<Number>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/test.Numbered/Count");
        let request = Request::new(Number { value });
        let answer = self.0.server_streaming(request, path, codec()).await?;
        Ok(answer.into_inner())
    }

    #[pollscope::tracked]
    async fn sum(&mut self, upto: u64) -> Result<u64, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/test.Numbered/Sum");
        let numbers = tokio_stream::iter((0..upto).map(|value| Number { value }));
        let request = Request::new(numbers);
        let answer = self.0.client_streaming(request, path, codec()).await?;
        Ok(answer.into_inner().value)
    }

    #[pollscope::tracked]
    async fn echo<S>(&mut self, numbers: S) -> Result<Streaming<Number>, Status>
    where
        S: Stream<Item = Number> + Send + 'static,
    {
        self.ready().await?;
        let path = PathAndQuery::from_static("/test.Numbered/Echo");
        let request = Request::new(numbers);
        let answer = self.0.streaming(request, path, codec()).await?;
        Ok(answer.into_inner())
    }
}

fn codec() -> ProstCodec<Number, Number> {
    ProstCodec::default()
}
