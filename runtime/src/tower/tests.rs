//! Names of requests, and what the layer hands through.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use proptest::prelude::*;
use tower_layer::Layer;
use tower_service::Service;

use super::layer;
use super::name::Name;

fn parts(method: &str, uri: &str, content: Option<&str>) -> Parts {
    let mut request = http::Request::builder().method(method).uri(uri);
    if let Some(content) = content {
        request = request.header("content-type", content);
    }
    request.body(()).expect("a request").into_parts().0
}

fn named(method: &str, uri: &str) -> String {
    Name::of(&parts(method, uri, None)).as_ref().to_owned()
}

#[test]
fn what_looks_like_an_id_is_one() {
    for (uri, name) in [
        ("/", "GET /"),
        ("/orders", "GET /orders"),
        ("/orders/", "GET /orders/"),
        ("/orders/42?page=3", "GET /orders/{id}"),
        ("/v1/orders/42/lines/7", "GET /v1/orders/{id}/lines/{id}"),
        ("/u/5f0c6a1e-1f0b-4d57-9a7e-0a3a1b2c3d4e", "GET /u/{id}"),
        ("/blob/0123456789abcdef", "GET /blob/{id}"),
        ("/decade/facade", "GET /decade/facade"),
        ("/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "GET /t/{id}"),
        ("http://example.org/a/1", "GET /a/{id}"),
    ] {
        assert_eq!(named("GET", uri), name);
    }
    assert_eq!(named("OPTIONS", "*"), "OPTIONS *");
    assert_eq!(named("CONNECT", "example.org:443"), "CONNECT ");
    let deep = "/a".repeat(30);
    assert_eq!(named("GET", &deep), format!("GET {}/…", "/a".repeat(10)));
}

#[test]
fn a_call_of_grpc_is_its_method() {
    let of = |path, content| {
        Name::of(&parts("POST", path, Some(content)))
            .as_ref()
            .to_owned()
    };
    assert_eq!(
        of("/shop.Orders/Get", "application/grpc+proto"),
        "shop.Orders/Get"
    );
    assert_eq!(
        of("/shop.Orders/Get", "application/json"),
        "POST /shop.Orders/Get"
    );
    assert_eq!(of("/a/b/c", "application/grpc"), "POST /a/b/c");
    assert_eq!(of("/", "application/grpc"), "POST /");
}

proptest! {
    /// Whatever is asked for: a name is bounded, and has as many shapes as there are routes and not as there are ids.
    #[test]
    fn a_name_is_bounded(path in "(/[a-zA-Z0-9._~%-]{0,200}){0,40}") {
        let uri = if path.is_empty() { "/".to_owned() } else { path };
        prop_assume!(uri.parse::<http::Uri>().is_ok());
        let name = named("GET", &uri);
        prop_assert!(name.len() <= 128, "{name}");
        prop_assert!(name.starts_with("GET /"));
        prop_assert!(!name.chars().any(char::is_control));
    }

    #[test]
    fn ids_make_one_name(number in any::<u64>(), long in "[0-9a-f]{16,64}", token in "[A-Za-z0-9_-]{33,100}") {
        for id in [number.to_string(), long, token] {
            prop_assert_eq!(named("GET", &format!("/orders/{id}/pay")), "GET /orders/{id}/pay");
        }
    }

    /// Cut between characters, wherever the bound falls.
    #[test]
    fn what_the_user_says_is_cut(text in "\\PC{0,200}") {
        let name = Name::said(&text);
        prop_assert!(text.starts_with(name.as_ref()));
        prop_assert!(name.as_ref().len() > 124 || name.as_ref() == text);
    }
}

/// Answers each request with the status that its path asks for.
#[derive(Clone)]
struct Status;

impl Service<http::Request<u8>> for Status {
    type Response = http::Response<u8>;
    type Error = Infallible;
    type Future = Ready<Result<http::Response<u8>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<u8>) -> Self::Future {
        let status = request.uri().path().trim_start_matches('/');
        let response = http::Response::builder().status(status);
        ready(Ok(response.body(*request.body()).expect("a status")))
    }
}

#[test]
fn request_and_response_go_through() {
    let mut service = layer().route(|_| None).layer(Status);
    for status in [200_u16, 404, 503] {
        let request = http::Request::builder()
            .uri(format!("/{status}"))
            .body(7)
            .expect("a request");
        let mut answer = pin!(service.call(request));
        let answer = answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(response)) = answer else {
            panic!("it is there: {answer:?}");
        };
        assert_eq!((response.status().as_u16(), *response.body()), (status, 7));
    }
}
