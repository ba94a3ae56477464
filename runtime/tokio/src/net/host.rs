//! `ToSocketAddrs`: Tokio's, and the name of the host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What can be looked up: exactly what [`tokio::net::ToSocketAddrs`] can, which whatever implements this does, too.
///
/// Tokio's is sealed and does not say its host's name; hence this one. It is sealed by Tokio's.
pub trait ToSocketAddrs: tokio::net::ToSocketAddrs {
    /// Host and port, as one would write them.
    #[doc(hidden)]
    fn host(&self) -> String;
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn host(&self) -> String {
        (**self).host()
    }
}

macro_rules! shown {
    ($($type:ty),*) => {
        $(
            impl ToSocketAddrs for $type {
                fn host(&self) -> String {
                    self.to_string()
                }
            }
        )*
    };
}

shown!(str, String, SocketAddr, SocketAddrV4, SocketAddrV6);

macro_rules! with_port {
    ($($type:ty),*) => {
        $(
            impl ToSocketAddrs for ($type, u16) {
                fn host(&self) -> String {
                    format!("{}:{}", self.0, self.1)
                }
            }
        )*
    };
}

with_port!(&str, String, IpAddr, Ipv4Addr, Ipv6Addr);

impl ToSocketAddrs for &[SocketAddr] {
    fn host(&self) -> String {
        let shown: Vec<String> = self.iter().map(ToString::to_string).collect();
        shown.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bound by Tokio's trait alone: ours is one.
    fn name(host: impl ToSocketAddrs) -> String {
        fn is_tokios(_: &impl tokio::net::ToSocketAddrs) {}
        is_tokios(&host);
        host.host()
    }

    #[test]
    fn whatever_tokio_looks_up_has_a_name() {
        let [four, six]: [SocketAddr; 2] =
            ["127.0.0.1:80", "[::1]:80"].map(|at| at.parse().expect("an address"));
        assert_eq!(name("localhost:80"), "localhost:80");
        let owned = "localhost:80".to_owned();
        assert_eq!(name(&owned), "localhost:80");
        assert_eq!(name(owned), "localhost:80");
        assert_eq!(name(("localhost", 80)), "localhost:80");
        assert_eq!(name(("localhost".to_owned(), 80)), "localhost:80");
        assert_eq!(name((four.ip(), 80)), "127.0.0.1:80");
        assert_eq!(name((Ipv4Addr::LOCALHOST, 80)), "127.0.0.1:80");
        assert_eq!(name((Ipv6Addr::LOCALHOST, 80)), "::1:80");
        assert_eq!(name(six), "[::1]:80");
        assert_eq!(name(&[four, six][..]), "127.0.0.1:80, [::1]:80");
    }
}
