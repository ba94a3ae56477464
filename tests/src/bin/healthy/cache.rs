//! The client of the redis crate, and a server here that speaks as much of its protocol as is asked for.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pollscope::task::{JoinHandle, JoinSet};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisResult, Value, cmd, pipe};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use crate::load::{Load, Outcome};

/// Clients that share one connection.
const CLIENTS: usize = 8;
/// How often the connection is made anew.
const CONNECTIONS: Duration = Duration::from_millis(700);

type Store = Arc<Mutex<HashMap<Vec<u8>, Vec<u8>>>>;

pub(crate) async fn run(load: Load) -> Outcome {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let served = pollscope::spawn(serve(listener, stopped));
    while load.goes_on() {
        let (connection, driven) = connect(addr).await?;
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(drive(load.clone(), connection.clone(), number));
        }
        drop(connection);
        sleep(CONNECTIONS).await;
        // In the middle of whatever they do.
        clients.shutdown().await;
        load.was_cancelled();
        driven.await?;
    }
    stop.send(true)?;
    served.await??;
    Ok(())
}

/// A connection, and the task that drives it: the crate makes a future for that.
#[pollscope::tracked]
async fn connect(addr: SocketAddr) -> RedisResult<(MultiplexedConnection, JoinHandle<()>)> {
    let stream = TcpStream::connect(addr).await?;
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(10)));
    let info = RedisConnectionInfo::default();
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&info, stream, config).await?;
    Ok((connection, pollscope::spawn(driver)))
}

/// Asks until it is aborted.
#[pollscope::tracked]
async fn drive(load: Load, mut redis: MultiplexedConnection, number: usize) -> Outcome {
    let mut step = number as u64;
    loop {
        step += 1;
        let key = format!("key-{}", step % 64);
        match step % 6 {
            0 => set(&mut redis, &key, step).await?,
            1 => drop(get(&mut redis, &key).await?),
            2 => {
                let (mut other, hit) = (redis.clone(), format!("hits-{number}"));
                let (hits, value) =
                    pollscope::try_join!(count(&mut redis, &hit), get(&mut other, &key))?;
                assert!(hits > 0 && value.is_none_or(|value| value < u64::MAX));
            }
            3 => {
                let mut many = pipe();
                many.cmd("SET").arg(&key).arg(1).ignore();
                many.cmd("GET").arg(&key).cmd("PING");
                let (_, pong): (Option<u64>, String) = many.query_async(&mut redis).await?;
                assert_eq!(pong, "PONG");
            }
            4 => match timeout(Duration::from_millis(2), wait(&mut redis, 20)).await {
                Err(_) => load.was_late(),
                Ok(waited) => waited?,
            },
            _ if wrong(&mut redis).await.is_err() => load.was_refused(),
            _ => {}
        }
        load.count();
    }
}

#[pollscope::tracked]
async fn set(redis: &mut MultiplexedConnection, key: &str, value: u64) -> RedisResult<()> {
    cmd("SET").arg(key).arg(value).query_async(redis).await
}

#[pollscope::tracked]
async fn get(redis: &mut MultiplexedConnection, key: &str) -> RedisResult<Option<u64>> {
    cmd("GET").arg(key).query_async(redis).await
}

#[pollscope::tracked]
async fn count(redis: &mut MultiplexedConnection, key: &str) -> RedisResult<u64> {
    cmd("INCR").arg(key).query_async(redis).await
}

#[pollscope::tracked]
async fn wait(redis: &mut MultiplexedConnection, millis: u64) -> RedisResult<()> {
    cmd("WAIT").arg(millis).query_async(redis).await
}

/// Something the server does not know.
#[pollscope::tracked]
async fn wrong(redis: &mut MultiplexedConnection) -> RedisResult<Value> {
    cmd("HELP").query_async(redis).await
}

#[pollscope::tracked]
async fn serve(listener: TcpListener, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    let store = Store::default();
    let mut connections = JoinSet::new();
    loop {
        pollscope::select! {
            accepted = listener.accept() => {
                connections.spawn(answer(accepted?.0, Arc::clone(&store)));
            }
            // How a connection ended is no news, but it is asked.
            Some(end) = connections.join_next() => drop(end),
            _ = stopped.changed() => break,
        }
    }
    // As above, also of one that failed while the service stopped: `shutdown` asks nobody.
    connections.abort_all();
    while let Some(end) = connections.join_next().await {
        drop(end);
    }
    Ok(())
}

/// One connection, to its end.
#[pollscope::tracked]
async fn answer(stream: TcpStream, store: Store) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(command) = read(&mut stream).await? {
        let reply = reply(&command, &store).await;
        stream.write_all(&reply).await?;
    }
    Ok(())
}

/// A command: an array of byte strings. `None` at the end.
#[pollscope::tracked]
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<Vec<u8>>>> {
    let Some(count) = length(stream, '*').await? else {
        return Ok(None);
    };
    let mut words = Vec::new();
    for _ in 0..count {
        let Some(length) = length(stream, '$').await? else {
            return Ok(None);
        };
        let mut word = vec![0; length + 2];
        stream.read_exact(&mut word).await?;
        word.truncate(length);
        words.push(word);
    }
    Ok(Some(words))
}

#[pollscope::tracked]
async fn length(stream: &mut BufReader<TcpStream>, mark: char) -> io::Result<Option<usize>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let length = line.trim_end().strip_prefix(mark);
    let length = length.and_then(|length| length.parse().ok());
    length
        .map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, line))
}

#[pollscope::tracked]
async fn reply(command: &[Vec<u8>], store: &Store) -> Vec<u8> {
    let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
    match words[..] {
        [b"PING"] => b"+PONG\r\n".to_vec(),
        [b"CLIENT", ..] => b"+OK\r\n".to_vec(),
        [b"SET", key, value] => {
            store.lock().await.insert(key.to_vec(), value.to_vec());
            b"+OK\r\n".to_vec()
        }
        [b"GET", key] => store.lock().await.get(key).map_or_else(
            || b"$-1\r\n".to_vec(),
            |value| {
                let length = format!("${}\r\n", value.len());
                [length.as_bytes(), value, b"\r\n"].concat()
            },
        ),
        [b"INCR", key] => {
            let mut store = store.lock().await;
            let value = store.entry(key.to_vec()).or_default();
            let next = number(value) + 1;
            *value = next.to_string().into_bytes();
            format!(":{next}\r\n").into_bytes()
        }
        [b"WAIT", millis] => {
            sleep(Duration::from_millis(number(millis))).await;
            b"+OK\r\n".to_vec()
        }
        _ => b"-ERR unknown command\r\n".to_vec(),
    }
}

fn number(word: &[u8]) -> u64 {
    String::from_utf8_lossy(word).parse().unwrap_or(0)
}
