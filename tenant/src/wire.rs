//! Turns scripts into connections: bytes, pauses and breaks, where an HTTP server would be too polite.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::server::Server;
use crate::tenant::FREE_PORT;
use crate::tls::{Ca, Certificate};

/// A port of this machine that plays a script to each connection, and counts. Until it is told a script, it closes each
/// connection at once.
pub struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    port: Mutex<Port>,
}

/// One thing that a [`Wire`] does. After the last, it closes the connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Shakes hands for TLS; what follows is inside. Comes first or not at all, and wants a [`Wire::https`].
    Tls(Certificate),
    /// Reads a request, up to its empty line.
    Request,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with this pause before each.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes over and over, until the other side closes.
    Flood(Vec<u8>),
    /// Does nothing for so long, and does not even notice when the other side closes.
    Pause(Duration),
    /// Says nothing until the other side closes.
    Silence,
    /// Breaks the connection (RST). Comes last.
    Reset,
}

impl Wire {
    /// At a free port, for plain http.
    pub fn http() -> Wire {
        Wire::start(None)
    }

    /// At a free port, for https: [`Wire::ca_file`] vouches for its good certificate.
    pub fn https() -> Wire {
        Wire::start(Some(Ca::new()))
    }

    /// Where a tenant's JWKS would be.
    pub fn jwks_uri(&self) -> String {
        let scheme = if self.shared.ca.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/.well-known/jwks.json", self.address)
    }

    /// A file with the certificate of its CA, for `SSL_CERT_FILE`; for plain http there is none.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.shared.ca.as_ref().map(|ca| ca.file.clone())
    }

    /// Plays these scripts to the next connections, one each; and the last one to all that follow.
    pub fn play(&self, scripts: impl IntoIterator<Item = Vec<Step>>) {
        self.shared.state().scripts = scripts.into_iter().collect();
    }

    /// Breaks all connections and has new ones refused, until it is opened. Nobody else gets the port.
    pub fn close(&self) {
        let mut port = self.port.lock().expect("nobody panics with the port in hand");
        // The server's thread has ended when the socket takes its place.
        *port = Port::Changing;
        let socket = TcpSocket::new_v4().expect("a socket");
        // A connection that was closed may hold the address for a minute.
        socket.set_reuseaddr(true).and_then(|()| socket.bind(self.address)).expect("the port is ours");
        *port = Port::Closed(socket);
    }

    /// Accepts connections again, if it was closed.
    pub fn open(&self) {
        let mut port = self.port.lock().expect("nobody panics with the port in hand");
        if let Port::Open(_) = *port {
            return;
        }
        *port = Port::Changing;
        let listener = TcpListener::bind(self.address).expect("the port is ours");
        *port = Port::Open(serve(listener, Arc::clone(&self.shared)));
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// How many of them are still open, as far as it has noticed.
    pub fn open_connections(&self) -> usize {
        self.shared.state().open_connections
    }

    /// The requests that it has read.
    pub fn requests(&self) -> Vec<String> {
        self.shared.state().requests.clone()
    }

    /// How many bytes it has sent, those for TLS not counted. What the other side has not read counts, too: a few
    /// hundred KB wait in the sockets.
    pub fn sent(&self) -> usize {
        self.shared.state().sent
    }

    fn start(ca: Option<Ca>) -> Wire {
        let listener = TcpListener::bind(FREE_PORT).expect("this machine has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared { ca, state: Mutex::default() });
        let port = Mutex::new(Port::Open(serve(listener, Arc::clone(&shared))));
        Wire { address, shared, port }
    }
}

#[expect(dead_code, reason = "both are held for what their dropping does")]
enum Port {
    Open(Server),
    /// Bound, so that nobody else gets it; but it does not listen.
    Closed(TcpSocket),
    Changing,
}

struct Shared {
    ca: Option<Ca>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    scripts: VecDeque<Vec<Step>>,
    connections: usize,
    open_connections: usize,
    requests: Vec<String>,
    sent: usize,
}

fn serve(listener: TcpListener, shared: Arc<Shared>) -> Server {
    // Its connections inherit it.
    SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER).expect("a buffer may be small");
    listener.set_nonblocking(true).expect("a listener need not block");
    Server::run(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a bound listener can be registered");
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let connection = Connection::new(Arc::clone(&shared));
            // How a connection ends, the other side knows best.
            connections.spawn(async move { connection.converse(stream).await.unwrap_or_default() });
        }
    })
    .expect("a machine has threads")
}

/// Counts as open until it is dropped.
struct Connection {
    shared: Arc<Shared>,
    script: Vec<Step>,
}

impl Connection {
    fn new(shared: Arc<Shared>) -> Connection {
        let script = {
            let mut state = shared.state();
            state.connections += 1;
            state.open_connections += 1;
            let last = state.scripts.len() <= 1;
            if last { state.scripts.front().cloned() } else { state.scripts.pop_front() }
        };
        Connection { shared, script: script.unwrap_or_default() }
    }

    async fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if let Some(Step::Reset) = self.script.last() {
            stream.set_zero_linger()?; // a drop then sends RST
        }
        match self.script.split_first() {
            Some((Step::Tls(certificate), script)) => {
                let ca = self.shared.ca.as_ref().expect("only a Wire::https can shake hands");
                self.play(ca.acceptor(*certificate).accept(stream).await?, script).await
            }
            _ => self.play(stream, &self.script).await,
        }
    }

    async fn play(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &[Step]) -> io::Result<()> {
        for step in script {
            match step {
                Step::Tls(_) => panic!("a handshake comes first"),
                Step::Request => self.read(&mut stream).await?,
                Step::Send(bytes) => self.send(&mut stream, bytes).await?,
                Step::Drip(bytes, pace) => {
                    for byte in bytes {
                        sleep(*pace).await;
                        self.send(&mut stream, &[*byte]).await?;
                    }
                }
                Step::Flood(bytes) => loop {
                    self.send(&mut stream, bytes).await?;
                },
                Step::Pause(pause) => sleep(*pause).await,
                Step::Silence => while stream.read(&mut [0; 1024]).await? > 0 {},
                Step::Reset => return Ok(()),
            }
        }
        stream.shutdown().await
    }

    async fn read(&self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await?);
        }
        self.shared.state().requests.push(String::from_utf8_lossy(&request).into_owned());
        Ok(())
    }

    async fn send(&self, stream: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = stream.write(bytes).await?;
            self.shared.state().sent += sent;
            bytes = &bytes[sent..];
        }
        stream.flush().await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.state().open_connections -= 1;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the state in hand")
    }
}

/// Small, so that [`Wire::sent`] is not far ahead of what the other side has read.
const SEND_BUFFER: usize = 16 * 1024;
