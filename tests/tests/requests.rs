//! Requests inside a library's own tasks, on stable Rust: rows by route, a block with its route and line, a hung one; and
//! nothing of all those that are well.

#[path = "support/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use pollscope_tests::{Program, Room, inspector, wait_until};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(20);

struct Served {
    room: Room,
    program: Program,
    addr: String,
}

impl Served {
    fn start() -> Self {
        // Built before any clock starts.
        inspector();
        let room = Room::new();
        let mut command = room.command(env!("CARGO_BIN_EXE_requests"));
        command.env("POLLSCOPE", "debug").stdin(Stdio::piped());
        let mut program = room.start(command, "ready");
        let addr = program.line("addr ", LIMIT);
        let addr = addr.trim_start_matches("addr ").to_owned();
        Self {
            room,
            program,
            addr,
        }
    }

    fn report(&self) -> Value {
        let target = self.program.target();
        self.room.json(&["report", &target, "--json"])
    }

    /// Sends a request on a connection of its own, which stays open as long as what is returned.
    fn ask(&self, path: &str) -> TcpStream {
        let mut connection = TcpStream::connect(&self.addr).expect("it listens");
        connection.set_read_timeout(Some(LIMIT)).expect("a timeout");
        send(&mut connection, path);
        connection
    }
}

fn send(connection: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("it reads");
}

/// The status of the answer that comes on this connection; its body is read, too.
fn status(connection: &mut BufReader<TcpStream>) -> u16 {
    let mut line = String::new();
    connection.read_line(&mut line).expect("an answer");
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let mut length = 0;
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).expect("a header");
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().expect("a length");
        }
    }
    connection.read_exact(&mut vec![0; length]).expect("a body");
    status.unwrap_or_else(|| panic!("no status: {line:?}"))
}

fn requests(report: &Value) -> Vec<Value> {
    let tasks = report["tasks"].as_array().expect("an array");
    let is_request = |task: &&Value| task["kind"] == "request";
    tasks.iter().filter(is_request).cloned().collect()
}

fn by_name(requests: &[Value]) -> BTreeMap<&str, usize> {
    let mut names = BTreeMap::new();
    for request in requests {
        *names
            .entry(request["name"].as_str().expect("a name"))
            .or_default() += 1;
    }
    names
}

/// The rows of requests by name, of one place each.
fn routes(report: &Value) -> BTreeMap<String, Value> {
    let sites = report["sites"].as_array().expect("an array");
    let routes = sites.iter().filter(|site| site["kind"] == "request");
    routes
        .map(|site| {
            (
                site["name"].as_str().expect("a name").to_owned(),
                site.clone(),
            )
        })
        .collect()
}

/// Waits for the row of a route of which the condition holds: figures are made ten times a second.
fn route_of(served: &Served, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    wait_until(name, LIMIT, || {
        let mut routes = routes(&served.report());
        routes.remove(name).filter(|route| holds(route))
    })
}

#[test]
fn fifty_in_flight_are_rows_by_route() {
    let served = Served::start();
    let orders: Vec<_> = (0..30)
        .map(|id| served.ask(&format!("/orders/{id}")))
        .collect();
    let carts: Vec<_> = (0..20)
        .map(|id| served.ask(&format!("/users/u{id}/cart?page={id}")))
        .collect();
    let wanted = BTreeMap::from([
        ("GET /orders/{id}", 30),
        ("GET /users/{name}/cart", 20),
        ("price", 30),
    ]);
    let report = wait_until("50 requests wait", LIMIT, || {
        let report = served.report();
        let requests = requests(&report);
        let all_wait = requests.iter().all(|request| request["state"] == "idle");
        (all_wait && by_name(&requests) == wanted).then_some(report)
    });
    schema::assert_valid(&report);
    let all = requests(&report);
    for request in all.iter().filter(|request| request["name"] != "price") {
        let file = request["site"]["file"].as_str().expect("a file");
        assert!(file.ends_with("requests.rs"), "{request:#}");
        assert!(
            request["parent"].is_null(),
            "the library's task: {request:#}"
        );
        assert!(request["polls"].as_u64() > Some(0), "{request:#}");
        assert!(request["age_ns"].as_u64() > Some(0), "{request:#}");
        assert!(request["outcome"].is_null(), "{request:#}");
    }
    for (name, live) in wanted {
        let route = route_of(&served, name, |route| route["live"] == live);
        assert_eq!(
            (&route["ended"], &route["spawned"]),
            (&0.into(), &live.into()),
            "{route:#}"
        );
        let file = route["site"]["file"].as_str().expect("a file");
        assert!(file.ends_with("bin/requests.rs"), "{route:#}");
    }
    let seventh = |request: &&Value| request["labels"]["order"] == "7";
    let seventh = all.iter().find(seventh).expect("its label");
    assert_eq!(seventh["name"], "GET /orders/{id}");
    let within = |request: &&Value| request["parent"] == seventh["id"];
    let within = all.iter().find(within).expect("what it waits for");
    assert_eq!(
        (&within["name"], &within["span"]),
        (&"price".into(), &"order{id=7}".into())
    );

    // Clients that leave end their requests, and nothing of that is a finding.
    drop(orders);
    let route = route_of(&served, "GET /orders/{id}", |route| route["ended"] == 30);
    assert_eq!(route["outcomes"]["aborted"], 30, "{route:#}");
    wait_until("their end", LIMIT, || {
        let wanted = BTreeMap::from([("GET /users/{name}/cart", 20)]);
        (by_name(&requests(&served.report())) == wanted).then_some(())
    });
    drop(carts);
    wait_until("their end", LIMIT, || {
        requests(&served.report()).is_empty().then_some(())
    });
    assert_eq!(told(&served.report()), Vec::<Value>::new());
}

/// What was found; not what a machine full of tests may add: polls without a CPU, and waits for a turn behind those.
fn told(report: &Value) -> Vec<Value> {
    let warnings = report["warnings"].as_array().expect("an array");
    let is_told = |warning: &&Value| {
        let starved = ["descheduled", "throttled"].map(Value::from);
        let is_starved = starved.contains(&warning["verdict"]["state"]);
        warning["severity"] != "info" && warning["kind"] != "sched_delay" && !is_starved
    };
    warnings.iter().filter(is_told).cloned().collect()
}

#[test]
fn a_block_is_told_with_its_route_and_line_and_a_hung_request_shows() {
    let served = Served::start();
    let _hung = served.ask("/orders/8");
    let of_block = |warning: &&Value| {
        warning["kind"] == "slow_poll" && warning["task"]["name"] == "GET /block/{millis}"
    };
    let own = |frame: &Value| {
        let function = frame["function"].as_str().unwrap_or_default();
        function.ends_with("requests::blocks") && frame["line"].as_u64() > Some(0)
    };
    let with_line = |warning: &Value| {
        let stack = warning["observed"]["backtrace"].as_array();
        stack.is_some_and(|stack| stack.iter().any(own))
    };
    // On a machine that is too busy the watchdog may come too late for a stack: then it has more time.
    let mut millis = 0;
    let warning = wait_until("the block is told with its line", 3 * LIMIT, || {
        millis += 150;
        let mut answer = BufReader::new(served.ask(&format!("/block/{millis}")));
        assert_eq!(status(&mut answer), 200);
        let report = served.report();
        let warnings = report["warnings"].as_array().expect("an array");
        let all: Vec<_> = warnings.iter().filter(of_block).collect();
        assert!(all.len() < 2, "one record of it: {all:#?}");
        all.into_iter().find(|warning| with_line(warning)).cloned()
    });
    let message = warning["message"].as_str().expect("a message");
    let route = message.contains("\"GET /block/{millis}\"");
    assert!(route && message.starts_with("Polling request"), "{message}");
    assert!(
        warning["wall_ns"].as_u64() >= Some(150_000_000),
        "{warning:#}"
    );
    let route = route_of(&served, "GET /block/{millis}", |route| {
        route["slow_polls"].as_u64() > Some(0)
    });
    assert!(
        route["poll_ns"]["max"].as_u64() >= Some(150_000_000),
        "{route:#}"
    );
    let route = route_of(&served, "GET /orders/{id}", |route| route["live"] == 1);
    assert!(
        route["busy_ns"].as_u64() < Some(150_000_000),
        "not what another route did: {route:#}"
    );
    let hung = requests(&served.report());
    let hung = hung
        .iter()
        .find(|request| request["labels"]["order"] == "8");
    let hung = hung.expect("it hangs");
    assert_eq!(
        (&hung["state"], &hung["name"]),
        (&"idle".into(), &"GET /orders/{id}".into())
    );
    assert!(hung["age_ns"].as_u64() >= Some(150_000_000), "{hung:#}");
}

/// The twin: thousands that are well, errors and unknown paths among them.
#[test]
fn what_is_well_leaves_nothing() {
    let served = Served::start();
    let clients: Vec<_> = (0..4)
        .map(|client: u64| {
            let connection = TcpStream::connect(&served.addr).expect("it listens");
            connection.set_read_timeout(Some(LIMIT)).expect("a timeout");
            std::thread::spawn(move || drive(client, connection))
        })
        .collect();
    for client in clients {
        client.join().expect("it is served");
    }
    let report = wait_until("their end", LIMIT, || {
        let report = served.report();
        requests(&report).is_empty().then_some(report)
    });
    assert_eq!(told(&report), Vec::<Value>::new());
    schema::assert_valid(&report);

    // One place makes them all. Each route is a row, and so are as many names as there is room for at once; a scanner's
    // other paths share one.
    let routes = wait_until("all are counted", LIMIT, || {
        let routes = routes(&served.report());
        let all = routes.values().map(|route| route["ended"].as_u64());
        (all.sum::<Option<u64>>() == Some(4 * PER_CLIENT)).then_some(routes)
    });
    let places: BTreeSet<_> = routes
        .values()
        .map(|route| route["site"].to_string())
        .collect();
    assert_eq!(places.len(), 1);
    assert!(routes.values().all(|route| route["live"] == 0));
    assert!((3..=65).contains(&routes.len()), "{}", routes.len());
    let quick = &routes["GET /quick/{id}"];
    let ends = [quick["ended"].as_u64(), quick["outcomes"]["error"].as_u64()];
    assert_eq!(
        ends,
        [Some(4 * PER_CLIENT * 4 / 5), Some(4 * PER_CLIENT / 10)]
    );
    for figure in [
        &quick["busy_ns"],
        &quick["poll_ns"]["p50"],
        &quick["poll_ns"]["p99"],
    ] {
        assert!(figure.as_u64() > Some(0), "{quick:#}");
    }
    let other = &routes["(other)"];
    assert!(other["ended"].as_u64() > Some(300), "{other:#}");
    assert_eq!(other["outcomes"]["error"], 0, "{other:#}");

    // A route that comes late has room kept for it, once it is no passing one.
    for _ in 0..20 {
        assert_eq!(status(&mut BufReader::new(served.ask("/block/0"))), 200);
    }
    let late = route_of(&served, "GET /block/{millis}", |route| {
        route["ended"].as_u64() > Some(10)
    });
    assert_eq!(late["outcomes"]["ok"], late["ended"], "{late:#}");
}

const PER_CLIENT: u64 = 500;

fn drive(client: u64, connection: TcpStream) {
    let mut writer = connection.try_clone().expect("a connection");
    let mut reader = BufReader::new(connection);
    for number in 0..PER_CLIENT {
        let id = client * PER_CLIENT + number;
        let (path, wanted) = match number {
            // As a scanner asks: each path is another.
            _ if number % 5 == 0 => (format!("/x{id}/admin"), 404),
            _ if id % 10 == 3 => (format!("/quick/{id}"), 500),
            _ => (format!("/quick/{id}"), 200),
        };
        send(&mut writer, &path);
        assert_eq!(status(&mut reader), wanted, "{path}");
    }
}
