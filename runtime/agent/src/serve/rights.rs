//! Who is let in, and what they may do.

use std::net::SocketAddr;

use pollscope_proto::v1;
use tonic::Status;

use crate::config::Rights;

/// What a connection over TCP may do: there is no token yet, and any user of the machine can reach loopback.
pub(super) const OVER_TCP: Rights = Rights::Read;

/// Refuses what needs more than this connection has. `what` completes "… needs the right …".
pub(super) fn require(have: Rights, needed: Rights, what: &str) -> Result<(), Status> {
    if have >= needed {
        return Ok(());
    }
    let advice = match needed {
        Rights::Abort => "start the program with POLLSCOPE_RIGHTS=abort and attach by its pid",
        Rights::Debug | Rights::Read => {
            "attach by pid, over the socket (POLLSCOPE_RIGHTS must not say read)"
        }
    };
    let (needed, have) = (word(needed), word(have));
    Err(Status::permission_denied(format!(
        "{what} needs the right `{needed}`, this connection has `{have}`: {advice}"
    )))
}

const fn word(rights: Rights) -> &'static str {
    match rights {
        Rights::Read => "read",
        Rights::Debug => "debug",
        Rights::Abort => "abort",
    }
}

pub(super) const fn wire(rights: Rights) -> v1::Rights {
    match rights {
        Rights::Read => v1::Rights::Read,
        Rights::Debug => v1::Rights::Debug,
        Rights::Abort => v1::Rights::Abort,
    }
}

/// The uid that the kernel shows of a user whom our user namespace does not know: `/proc/sys/kernel/overflowuid`, unless
/// somebody changed that.
const NO_NUMBER: u32 = 65534;

/// Whether a user may come in over the socket, and the refusal to show to one who may not. `is_closed` says whether the
/// socket and its directory still are ours alone, and is asked only where it decides.
///
/// The directory keeps others out already; this holds where somebody opened it up. In a user namespace all whom it does
/// not know have one number, root of the host and any stranger, and it may be ours, too: who has that came through a
/// closed door, as only the owner and root above can, or stays outside.
pub(super) fn admit(peer: u32, owner: u32, is_closed: impl FnOnce() -> bool) -> Result<(), String> {
    if has_no_number(peer) {
        return nameless(is_closed());
    }
    if peer == 0 || peer == owner {
        return Ok(());
    }
    Err(format!(
        "this process belongs to uid {owner}, you are uid {peer}: run the inspector as that user or as root"
    ))
}

/// Whether the kernel shows this number of whoever our user namespace does not know, root of the host among them.
pub(super) fn has_no_number(uid: u32) -> bool {
    uid == NO_NUMBER && is_in_user_namespace()
}

/// As [`admit`], for who has no number here.
fn nameless(is_closed: bool) -> Result<(), String> {
    if is_closed {
        return Ok(());
    }
    Err(
        "this process is in a user namespace where you have no number, and its socket is open to others: run the inspector inside of it, as `podman unshare pollscope` does"
            .to_owned(),
    )
}

/// Whether this process counts users otherwise than the machine does. Asked of a stranger only.
fn is_in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let fields: Vec<_> = map.split_whitespace().collect();
    !fields.is_empty() && fields != ["0", "0", "4294967295"]
}

/// Whether the server may listen there, and what to log where it may not.
pub(super) fn may_bind(at: SocketAddr) -> Result<(), String> {
    if at.ip().is_loopback() {
        return Ok(());
    }
    let port = at.port();
    Err(format!(
        "not listening on {at}: beyond loopback needs TLS and a token: not built yet; use 127.0.0.1:{port}"
    ))
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn root_and_the_owner_come_in() {
        let unasked = || panic!("their numbers are enough");
        assert_eq!(admit(0, 1000, unasked), Ok(()));
        assert_eq!(admit(1000, 1000, unasked), Ok(()));
        let refusal = admit(1001, 1000, || true).expect_err("a stranger");
        assert!(
            refusal.contains("uid 1000") && refusal.contains("uid 1001"),
            "{refusal}"
        );
        assert!(
            admit(1001, 0, || true).is_err(),
            "root's processes are root's"
        );
    }

    #[test]
    fn who_has_no_number_comes_through_a_closed_door_only() {
        assert_eq!(nameless(true), Ok(()));
        let refusal = nameless(false).expect_err("a stranger");
        assert!(refusal.contains("podman unshare"), "{refusal}");
    }

    #[test]
    fn rights_include_those_below() {
        use Rights::{Abort, Debug, Read};
        for (have, needed, enough) in [
            (Read, Read, true),
            (Read, Debug, false),
            (Read, Abort, false),
            (Debug, Read, true),
            (Debug, Debug, true),
            (Debug, Abort, false),
            (Abort, Read, true),
            (Abort, Debug, true),
            (Abort, Abort, true),
        ] {
            let answer = require(have, needed, "this");
            assert_eq!(answer.is_ok(), enough, "{have:?} for {needed:?}");
            if let Err(status) = answer {
                assert_eq!(status.code(), Code::PermissionDenied);
                assert!(
                    status.message().contains(&format!("`{}`", word(needed))),
                    "{}",
                    status.message()
                );
            }
        }
    }

    #[test]
    fn only_loopback_is_listened_on() {
        for at in ["127.0.0.1:6670", "127.9.9.9:1", "[::1]:6670"] {
            assert_eq!(may_bind(at.parse().expect("an address")), Ok(()));
        }
        for at in [
            "0.0.0.0:6670",
            "[::]:6670",
            "10.0.0.1:6670",
            "[::ffff:127.0.0.1]:6670",
        ] {
            let refusal = may_bind(at.parse().expect("an address")).expect_err("refused");
            assert!(
                refusal.contains("beyond loopback needs TLS and a token: not built yet"),
                "{refusal}"
            );
        }
    }
}
