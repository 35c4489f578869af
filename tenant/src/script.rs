//! Turns a script into one connection's bytes, pauses and breaks, and keeps count.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::tls::{Ca, Certificate};

/// One thing that a wire does. After the last, it closes the connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Shakes hands for TLS; the next steps are inside. Comes first or not at all, and needs a wire for https.
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

/// What all connections of a wire share: the scripts to come, and the counts so far.
pub(crate) struct Stage {
    ca: Option<Ca>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) scripts: VecDeque<Vec<Step>>,
    pub(crate) connections: usize,
    pub(crate) open_connections: usize,
    pub(crate) requests: Vec<String>,
    pub(crate) sent: usize,
}

impl Stage {
    pub(crate) fn new(ca: Option<Ca>) -> Stage {
        Stage { ca, progress: Mutex::default() }
    }

    pub(crate) fn ca(&self) -> Option<&Ca> {
        self.ca.as_ref()
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().expect("nobody panics with the progress in hand")
    }
}

/// A connection, which counts as open until it is dropped.
pub(crate) struct Connection {
    stage: Arc<Stage>,
    script: Vec<Step>,
}

impl Connection {
    /// The next connection, which plays the next script.
    pub(crate) fn new(stage: Arc<Stage>) -> Connection {
        let script = {
            let mut progress = stage.progress();
            progress.connections += 1;
            progress.open_connections += 1;
            let last = progress.scripts.len() <= 1;
            if last { progress.scripts.front().cloned() } else { progress.scripts.pop_front() }
        };
        Connection { stage, script: script.unwrap_or_default() }
    }

    pub(crate) async fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if let Some(Step::Reset) = self.script.last() {
            stream.set_zero_linger()?; // a drop then sends RST
        }
        match self.script.split_first() {
            Some((Step::Tls(certificate), script)) => {
                let ca = self.stage.ca().expect("only a wire for https can shake hands");
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
        self.stage.progress().requests.push(String::from_utf8_lossy(&request).into_owned());
        Ok(())
    }

    async fn send(&self, stream: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = stream.write(bytes).await?;
            self.stage.progress().sent += sent;
            bytes = &bytes[sent..];
        }
        stream.flush().await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stage.progress().open_connections -= 1;
    }
}
