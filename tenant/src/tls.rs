//! Turns TCP connections into TLS connections, with a certificate for this machine from a CA of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, io};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

use crate::key::random_kid;

/// What a server shows in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// For 127.0.0.1 and localhost, from its CA.
    Good,
    /// Signed by itself, and by no CA.
    SelfSigned,
    /// The same, and says that it is a CA: what openssl makes by default.
    Authority,
    /// For another name.
    OtherName,
    /// Valid until the year 2000.
    Expired,
    /// Valid from the year 4000 on.
    NotYetValid,
}

/// A CA. Its certificate is a string, and a file that is removed when the CA is dropped.
pub(crate) struct Ca {
    pub(crate) pem: String,
    pub(crate) file: PathBuf,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Ca {
    pub(crate) fn new() -> Ca {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Stand-in tenant's CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key_pair()).expect("a CA can sign itself");
        let file = env::temp_dir().join(format!("tenant-ca-{}.pem", random_kid()));
        fs::write(&file, authority.pem()).expect("the directory for temporary files takes a file");
        Ca { pem: authority.pem(), file, authority }
    }

    /// What a server needs to shake hands with such a certificate.
    pub(crate) fn acceptor(&self, certificate: Certificate) -> TlsAcceptor {
        let names: &[_] =
            if certificate == Certificate::OtherName { &["example.com"] } else { &["127.0.0.1", "localhost"] };
        let names: Vec<_> = names.iter().copied().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).expect("these are names");
        match certificate {
            Certificate::Expired => params.not_after = date_time_ymd(2000, 1, 1),
            Certificate::NotYetValid => params.not_before = date_time_ymd(4000, 1, 1),
            Certificate::Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            _ => {}
        }
        let key = key_pair();
        let signed = match certificate {
            Certificate::SelfSigned | Certificate::Authority => params.self_signed(&key),
            _ => params.signed_by(&key, &self.authority),
        }
        .expect("a certificate for these names can be signed");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![signed.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .expect("the certificate was made for this key");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Drop for Ca {
    fn drop(&mut self) {
        // Nobody is left to tell, and a certificate is no secret.
        let _ = fs::remove_file(&self.file);
    }
}

/// A listener that hands out connections whose handshake is done.
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
                    // Otherwise an answer would wait until the client has acknowledged the session tickets.
                    let _ = stream.set_nodelay(true);
                    let handshake = self.acceptor.accept(stream);
                    self.handshakes.spawn(async move { Ok((handshake.await?, address)) });
                }
                // A client that refuses our certificate fails here. It knows, so nobody has to be told.
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
