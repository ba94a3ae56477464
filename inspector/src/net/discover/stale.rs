//! Removes what a target that ended could not: its socket.

use std::os::unix::fs::FileTypeExt;

use pollscope_proto::sockets::SocketName;
use tokio::fs;
use tokio::net::UnixStream;

use super::super::connect::is_nobody;
use super::super::{Address, NetError, clean};

/// Removes a socket whose process is gone.
///
/// # Errors
/// If it is not a socket of ours, or somebody listens after all; also where that cannot be told, as of a process that
/// takes no more connections now.
pub async fn remove_stale(address: &str) -> Result<(), NetError> {
    let removed = remove(address).await;
    removed.map_err(|why| NetError::Refused(format!("{}: {why}", clean(address, 4096))))
}

async fn remove(address: &str) -> Result<(), String> {
    let Ok(Address::Unix(path)) = address.parse() else {
        return Err("not a socket".to_owned());
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let meta = fs::symlink_metadata(&path).await;
    let is_socket = meta.is_ok_and(|meta| meta.file_type().is_socket());
    // To connect to a file is refused as well.
    if !is_socket || name.is_none_or(|name| name.parse::<SocketName>().is_err()) {
        return Err("not a socket of pollscope".to_owned());
    }
    match UnixStream::connect(&path).await {
        Ok(_) => return Err("somebody listens".to_owned()),
        Err(error) if is_nobody(&error) => {}
        Err(error) => {
            return Err(format!("cannot tell whether somebody listens: {error}"));
        }
    }
    let removed = fs::remove_file(&path).await;
    removed.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixDatagram, UnixListener};

    #[tokio::test]
    async fn only_a_dead_socket_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("7-8.sock");
        let address = Address::Unix(path.clone()).to_string();
        let listener = UnixListener::bind(&path).unwrap();
        assert!(remove_stale(&address).await.is_err());
        drop(listener);
        remove_stale(&address).await.unwrap();
        assert!(!path.exists());
        // A file of that name, and one of another.
        for name in ["7-8.sock", "precious"] {
            let other = dir.path().join(name);
            std::fs::write(&other, "").unwrap();
            let address = format!("unix:{}", other.display());
            assert!(remove_stale(&address).await.is_err());
            assert!(other.exists());
        }
    }

    #[tokio::test]
    async fn what_neither_listens_nor_refuses_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("7-8.sock");
        // Of another type: the kernel says that, and not that nobody is there.
        let socket = UnixDatagram::bind(&path).unwrap();
        let address = Address::Unix(path.clone()).to_string();
        let error = remove_stale(&address).await.unwrap_err().to_string();
        assert!(error.contains("cannot tell"), "{error}");
        assert!(path.exists());
        drop(socket);
    }
}
