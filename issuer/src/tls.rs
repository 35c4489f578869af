//! Turns TCP connections into TLS connections, with a certificate for this machine from a CA of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, io};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

use crate::key::random_kid;

/// The certificate of a CA, as text and as a file that goes when this does.
pub(crate) struct Ca {
    pub(crate) pem: String,
    pub(crate) file: PathBuf,
}

/// A new CA, and what a server needs to prove itself under it. The CA's private key is forgotten at once.
pub(crate) fn certify() -> (Ca, TlsAcceptor) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Stand-in tenant's CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, key_pair()).expect("a CA can sign itself");

    let key = key_pair();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])
        .and_then(|params| params.signed_by(&key, &authority))
        .expect("a CA can sign a certificate for these names");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .expect("the certificate was made for this key");

    let ca = Ca { pem: authority.pem(), file: env::temp_dir().join(format!("issuer-ca-{}.pem", random_kid())) };
    fs::write(&ca.file, &ca.pem).expect("the directory for temporary files takes a file");
    (ca, TlsAcceptor::from(Arc::new(config)))
}

impl Drop for Ca {
    fn drop(&mut self) {
        // Nobody is left to tell, and a certificate is no secret.
        let _ = fs::remove_file(&self.file);
    }
}

/// A listener whose connections are through with their handshake.
pub(crate) struct TlsListener {
    pub(crate) tcp: TcpListener,
    pub(crate) acceptor: TlsAcceptor,
    /// Side by side, so that a client that stalls keeps no other one waiting.
    pub(crate) handshakes: JoinSet<io::Result<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.tcp) => {
                    let handshake = self.acceptor.accept(stream);
                    self.handshakes.spawn(async move { Ok((handshake.await?, address)) });
                }
                // A client that refuses our certificate fails here, and hears of it from its own side.
                Some(handshake) = self.handshakes.join_next() => if let Ok(Ok(connection)) = handshake {
                    return connection;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

fn key_pair() -> KeyPair {
    KeyPair::generate().expect("an ECDSA key can be generated")
}
