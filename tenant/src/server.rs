//! Turns a future that serves into a thread of its own, until it is dropped.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use axum::Router;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::tls::TlsListener;

/// Any free port of this machine.
pub(crate) const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A running server. Its own thread and runtime keep it answering whatever the runtime of a test does.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers by the router. The listener already accepts connections, so that nobody has to wait for the thread.
    pub(crate) fn start(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) -> io::Result<Server> {
        listener.set_nonblocking(true)?;
        Server::run(async move {
            let tcp = tokio::net::TcpListener::from_std(listener).expect("a bound listener can be registered");
            match tls {
                None => axum::serve(tcp, router).await,
                Some(acceptor) => axum::serve(TlsListener { tcp, acceptor, handshakes: JoinSet::new() }, router).await,
            }
            .expect("axum serves until it is stopped");
        })
    }

    /// Runs a future that serves until the server is dropped.
    pub(crate) fn run(serve: impl Future<Output = ()> + Send + 'static) -> io::Result<Server> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        // At the end of the thread the runtime is dropped, and open connections with it.
        let thread = thread::Builder::new().name("tenant".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = serve => {}
                }
            });
        })?;
        Ok(Server { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        // The port is closed once the thread is joined: from its next line on, a test can rely on that.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
