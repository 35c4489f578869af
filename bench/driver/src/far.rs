//! A port -> another port, from which the first is a round trip of 60 ms away, as if a network lay between the two.
//!
//! What is sent arrives half a round trip later, either way. A connect costs a whole round trip, too, but on loopback the
//! kernel answers a connect at once, and no program can make it wait. So what the client sends arrives that much later, until
//! the client has heard from the server. To a client that speaks first, and does nothing until its connect ends, this is the
//! same.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub const ROUND_TRIP: Duration = Duration::from_millis(60);
const ONE_WAY: Duration = Duration::from_millis(30);

/// The far end of a network whose near end is this port. It lasts as long as this program.
pub fn from(port: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let far = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Where this fails, the client sees its connection close, and its cold start fails.
            _ = TcpStream::connect(port).and_then(|server| carry(&client, &server));
        }
    });
    Ok(far)
}

fn carry(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let heard = Arc::new(AtomicBool::new(false));
    let on_arrival = Arc::clone(&heard);
    let to_server = move || if heard.load(Ordering::SeqCst) { ONE_WAY } else { ROUND_TRIP + ONE_WAY };
    one_way(client.try_clone()?, server.try_clone()?, to_server, || ());
    one_way(server.try_clone()?, client.try_clone()?, || ONE_WAY, move || on_arrival.store(true, Ordering::SeqCst));
    Ok(())
}

/// One thread notes when something was sent, and another hands it over when it is due: so several are under way at a time.
fn one_way(
    mut from: TcpStream,
    mut to: TcpStream,
    delay: impl Fn() -> Duration + Send + 'static,
    arrives: impl Fn() + Send + 'static,
) {
    let (sent, under_way) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        loop {
            // A connection that breaks is one that ends: nothing more comes of it.
            let length = from.read(&mut chunk).unwrap_or(0);
            let sent = sent.send((Instant::now() + delay(), chunk[..length].to_vec()));
            if length == 0 || sent.is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        _ = to.set_nodelay(true);
        for (due, bytes) in under_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            arrives();
            if bytes.is_empty() {
                _ = to.shutdown(Shutdown::Write);
            } else if to.write_all(&bytes).is_err() {
                return;
            }
        }
    });
}
