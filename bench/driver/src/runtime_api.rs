//! Events -> answers, as Lambda's Runtime API hands them over: HTTP/1.1 on loopback, one thread, no queue.
//!
//! The thread that measures is the one that reads and writes, so that nothing stands between a function and the clock.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A Runtime API at a port of its own.
pub struct RuntimeApi {
    listener: TcpListener,
    connections: Vec<Connection>,
    /// What was read and not yet returned.
    waiting: Vec<Message>,
    invocations: u64,
}

/// What a function said.
pub enum Message {
    /// It asks for an event, on this connection.
    Next(usize),
    /// It answers one.
    Response(Vec<u8>),
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    open: bool,
}

impl RuntimeApi {
    pub fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        Ok(Self { listener, connections: Vec::new(), waiting: Vec::new(), invocations: 0 })
    }

    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for what the function says next.
    pub fn message(&mut self, at_most: Duration) -> io::Result<Message> {
        let deadline = Instant::now() + at_most;
        loop {
            if let Some(message) = self.waiting.pop() {
                return Ok(message);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it says nothing"));
            }
            self.turn(left)?;
        }
    }

    /// Hands an event to whoever asked on this connection.
    pub fn hand_over(&mut self, connection: usize, event: &str) -> io::Result<()> {
        self.invocations += 1;
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_secs(30);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-{:012x}\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:api\r\n\
             Lambda-Runtime-Trace-Id: Root=1-67891233-abcdef012345678912345678;Sampled=0\r\n\r\n{event}",
            event.len(),
            self.invocations,
            deadline.as_millis(),
        );
        self.connections[connection].stream.write_all(head.as_bytes())
    }

    /// Reads what there is to read.
    fn turn(&mut self, at_most: Duration) -> io::Result<()> {
        let at_most = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: at_most.subsec_nanos().into() };
        let mut open: Vec<usize> = (0..self.connections.len()).filter(|index| self.connections[*index].open).collect();
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        fds.extend(open.iter().map(|index| PollFd::new(&self.connections[*index].stream, PollFlags::IN)));
        poll(&mut fds, Some(&at_most))?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] {
            let (stream, _) = self.listener.accept()?;
            stream.set_nodelay(true)?;
            self.connections.push(Connection { stream, read: Vec::new(), open: true });
        }
        open.retain({
            let mut ready = ready[1..].iter();
            move |_| *ready.next().expect("a flag for each connection")
        });
        for index in open {
            let connection = &mut self.connections[index];
            connection.fill();
            while let Some((path, body)) = connection.request()? {
                if path.ends_with("/invocation/next") {
                    self.waiting.insert(0, Message::Next(index));
                } else if path.ends_with("/response") {
                    connection.stream.write_all(ACCEPTED)?;
                    self.waiting.insert(0, Message::Response(body));
                } else {
                    let body = String::from_utf8_lossy(&body).into_owned();
                    return Err(io::Error::other(format!("it asks for {path}: {body}")));
                }
            }
        }
        Ok(())
    }
}

const ACCEPTED: &[u8] =
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";

impl Connection {
    fn fill(&mut self) {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) | Err(_) => self.open = false,
            Ok(length) => self.read.extend_from_slice(&chunk[..length]),
        }
    }

    /// Takes a whole request, if it is there: path and body.
    fn request(&mut self) -> io::Result<Option<(String, Vec<u8>)>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request.parse(&self.read).map_err(io::Error::other)? {
            httparse::Status::Complete(head) => head,
            httparse::Status::Partial => return Ok(None),
        };
        let path = request.path.unwrap_or_default().to_owned();
        let header = |name: &str| {
            let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let chunked = header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length: usize = header("content-length").and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        let (body, rest) = if chunked {
            let Some((body, length)) = dechunk(&self.read[head..])? else { return Ok(None) };
            (body, head + length)
        } else {
            let Some(body) = self.read.get(head..head + length) else { return Ok(None) };
            (body.to_vec(), head + length)
        };
        self.read.drain(..rest);
        Ok(Some((path, body)))
    }
}

/// A chunked body without trailers, and how long it was; `None` where its end is not there yet.
fn dechunk(mut rest: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let whole = rest.len();
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(rest).map_err(|_| io::Error::other("no chunk"))? {
            httparse::Status::Partial => return Ok(None),
            httparse::Status::Complete((start, size)) => {
                let end = start + usize::try_from(size).map_err(io::Error::other)?;
                let Some(chunk) = rest.get(start..end) else { return Ok(None) };
                let Some(after) = rest.get(end + 2..) else { return Ok(None) };
                body.extend_from_slice(chunk);
                rest = after;
                if size == 0 {
                    return Ok(Some((body, whole - rest.len())));
                }
            }
        }
    }
}
