//! The name of a request: its route, or what can be told of it from its path. Nothing here allocates.

use std::fmt::{self, Write};

use http::header::CONTENT_TYPE;
use http::request::Parts;

/// As long as names are kept, in bytes.
const LONGEST: usize = 128;
/// Segments of a path; what comes after is cut off.
const MOST_SEGMENTS: usize = 10;
/// A segment that is longer is none that somebody wrote into a route.
const LONGEST_SEGMENT: usize = 32;
/// So many hexadecimal digits are no word.
const LEAST_HEX: usize = 16;

/// A name, cut to its bound.
pub(super) struct Name {
    text: [u8; LONGEST],
    len: usize,
    is_full: bool,
}

impl Name {
    fn new() -> Self {
        Self {
            text: [0; LONGEST],
            len: 0,
            is_full: false,
        }
    }

    /// What the user's own function said.
    pub(super) fn said(text: &str) -> Self {
        let mut name = Self::new();
        name.push(text);
        name
    }

    /// The name of a request that nobody named.
    pub(super) fn of(request: &Parts) -> Self {
        let mut name = Self::new();
        let path = request.uri.path();
        if let Some(method) = is_rpc(request).then(|| rpc(path)).flatten() {
            name.push(method);
            return name;
        }
        name.push(request.method.as_str());
        name.push(" ");
        match matched(request) {
            Some(route) => name.push(route),
            None => name.push_template(path),
        }
        name
    }

    fn push(&mut self, text: &str) {
        // It cannot fail: what has no room is cut off.
        let _ = self.write_str(text);
    }

    /// A path, with `{id}` in place of what looks like one.
    fn push_template(&mut self, path: &str) {
        let mut segments = path.split('/');
        // Before the first slash there is nothing; of `*` there is nothing else.
        self.push(segments.next().unwrap_or_default());
        for (number, segment) in segments.enumerate() {
            if number == MOST_SEGMENTS {
                self.push("/…");
                return;
            }
            self.push("/");
            self.push(if is_id(segment) { "{id}" } else { segment });
        }
    }
}

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_full {
            return Ok(());
        }
        let mut end = text.len().min(LONGEST - self.len);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.text[self.len..self.len + end].copy_from_slice(&text.as_bytes()[..end]);
        self.len += end;
        // Nothing that comes later may close the gap.
        self.is_full = end < text.len();
        Ok(())
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        // Whole characters only were put in.
        std::str::from_utf8(&self.text[..self.len]).unwrap_or_default()
    }
}

/// The route by which axum found the handler.
#[cfg(feature = "axum")]
fn matched(request: &Parts) -> Option<&str> {
    let path = request.extensions.get::<axum::extract::MatchedPath>()?;
    Some(path.as_str())
}

#[cfg(not(feature = "axum"))]
fn matched(_: &Parts) -> Option<&str> {
    None
}

/// Whether a request is a call of gRPC.
fn is_rpc(request: &Parts) -> bool {
    request
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|content| content.as_bytes().starts_with(b"application/grpc"))
}

/// `package.Service/Method`, where a path is that.
fn rpc(path: &str) -> Option<&str> {
    let method = path.strip_prefix('/')?;
    let (service, name) = method.split_once('/')?;
    (!service.is_empty() && !name.is_empty() && !name.contains('/')).then_some(method)
}

/// Whether a segment of a path is one of very many: a number, a UUID, a hash, or longer than words are.
fn is_id(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
    bytes.len() > LONGEST_SEGMENT
        || (!bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit))
        || (bytes.len() >= LEAST_HEX && hex(bytes))
}
