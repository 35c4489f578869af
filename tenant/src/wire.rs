//! Turns scripts into a port that plays them: bytes, pauses and breaks, which no HTTP server would send.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use socket2::SockRef;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::script::{Connection, Stage, Step};
use crate::server::{FREE_PORT, Server};
use crate::tls::Ca;

/// A port of this machine that plays a script to each connection, and counts. Without a script it closes each connection at
/// once.
pub struct Wire {
    address: SocketAddr,
    stage: Arc<Stage>,
    port: Mutex<Port>,
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
        let scheme = if self.stage.ca().is_some() { "https" } else { "http" };
        format!("{scheme}://{}/.well-known/jwks.json", self.address)
    }

    /// A file with the certificate of its CA, for `SSL_CERT_FILE`. `None` for plain http.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.stage.ca().map(|ca| ca.file.clone())
    }

    /// Plays these scripts to the next connections, one each, and the last script to all that follow.
    pub fn play(&self, scripts: impl IntoIterator<Item = Vec<Step>>) {
        self.stage.progress().scripts = scripts.into_iter().collect();
    }

    /// Breaks all connections and refuses new ones until [`Wire::open`]. Nobody else gets the port.
    pub fn close(&self) {
        let mut port = self.port.lock().expect("nobody panics with the port in hand");
        // The server's thread has ended when the socket takes its place.
        *port = Port::Changing;
        let socket = TcpSocket::new_v4().expect("a socket");
        // A connection that was closed may hold the address for a minute.
        socket.set_reuseaddr(true).and_then(|()| socket.bind(self.address)).expect("the port is ours");
        *port = Port::Closed(socket);
    }

    /// Accepts connections again, if the port was closed.
    pub fn open(&self) {
        let mut port = self.port.lock().expect("nobody panics with the port in hand");
        if let Port::Open(_) = *port {
            return;
        }
        *port = Port::Changing;
        let listener = TcpListener::bind(self.address).expect("the port is ours");
        *port = Port::Open(serve(listener, Arc::clone(&self.stage)));
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.stage.progress().connections
    }

    /// How many of them are still open, as far as this side has noticed.
    pub fn open_connections(&self) -> usize {
        self.stage.progress().open_connections
    }

    /// The requests that were read.
    pub fn requests(&self) -> Vec<String> {
        self.stage.progress().requests.clone()
    }

    /// How many bytes were sent, without those of TLS. Bytes that still wait in the sockets count, too: a few hundred kB.
    pub fn sent(&self) -> usize {
        self.stage.progress().sent
    }

    fn start(ca: Option<Ca>) -> Wire {
        let listener = TcpListener::bind(FREE_PORT).expect("this machine has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let stage = Arc::new(Stage::new(ca));
        let port = Mutex::new(Port::Open(serve(listener, Arc::clone(&stage))));
        Wire { address, stage, port }
    }
}

#[expect(dead_code, reason = "both are held for what their dropping does")]
enum Port {
    Open(Server),
    /// Bound, so that nobody else gets it; but it does not listen.
    Closed(TcpSocket),
    Changing,
}

fn serve(listener: TcpListener, stage: Arc<Stage>) -> Server {
    // The connections of a listener inherit its buffer size.
    SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER).expect("a buffer may be small");
    listener.set_nonblocking(true).expect("a listener need not block");
    Server::run(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a bound listener can be registered");
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let connection = Connection::new(Arc::clone(&stage));
            // The other side knows how a connection has ended.
            connections.spawn(async move { connection.converse(stream).await.unwrap_or_default() });
        }
    })
    .expect("a machine has threads")
}

/// Small, so that [`Wire::sent`] is not far ahead of what the other side has read.
const SEND_BUFFER: usize = 16 * 1024;
