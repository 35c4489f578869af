//! The wire by its port: each step, as a client meets it.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tenant::{Certificate, Step, Wire};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[test]
fn scripts_are_played_in_turn_and_the_last_again_and_again() {
    let wire = Wire::http();
    assert!(says_nothing(&wire), "nobody has told it a script");
    wire.play(["one", "two"].map(|text| vec![Step::Request, send(text)]));
    for text in ["one", "two", "two"] {
        assert_eq!(exchange(connect(&wire)).expect("it answers"), text);
    }
    assert_eq!((wire.connections(), wire.sent()), (4, 9));
    assert_eq!(wire.requests(), [REQUEST; 3]);
    wire.play([]);
    assert!(says_nothing(&wire));
}

#[test]
fn steps_that_take_their_time() {
    let pause = Duration::from_millis(20);
    let wire = Wire::http();
    for (script, text, at_least) in [
        (vec![Step::Request, Step::Pause(pause), send("text")], "text", pause),
        (vec![Step::Request, Step::Drip(b"text".to_vec(), pause)], "text", 4 * pause),
    ] {
        wire.play([script]);
        let started = Instant::now();
        assert_eq!(exchange(connect(&wire)).expect("it answers"), text);
        assert!(started.elapsed() >= at_least);
    }
}

#[test]
fn steps_that_last_until_the_other_side_closes() {
    let wire = Wire::http();
    for step in [Step::Silence, Step::Flood(b"text".to_vec()), Step::Drip(vec![0; 100_000], Duration::from_millis(1))] {
        wire.play([vec![step]]);
        let stream = connect(&wire);
        eventually(|| wire.open_connections() == 1);
        drop(stream);
        eventually(|| wire.open_connections() == 0);
    }
}

#[test]
fn what_is_sent_is_not_far_ahead_of_what_is_read() {
    let wire = Wire::http();
    wire.play([vec![Step::Flood(vec![0; 100_000])]]);
    let mut stream = connect(&wire);
    stream.read_exact(&mut vec![0; 100_000]).expect("there is more than enough");
    sleep(Duration::from_millis(100));
    assert!(wire.sent() < 1_000_000, "{}", wire.sent());
}

#[test]
fn a_reset_is_none_of_the_ends_that_are_polite() {
    let wire = Wire::https();
    for script in [
        vec![Step::Reset],
        vec![Step::Request, Step::Reset],
        vec![Step::Request, send("text"), Step::Reset],
        vec![Step::Pause(Duration::from_millis(10)), Step::Reset],
    ] {
        wire.play([script.clone()]);
        let end = exchange(connect(&wire)).expect_err("it breaks");
        assert!(matches!(end.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{script:?}: {end}");
    }
    wire.play([vec![Step::Tls(Certificate::Good), Step::Request, Step::Reset]]);
    let end = exchange(shake_hands(&wire)).expect_err("it breaks");
    assert_eq!(end.kind(), ErrorKind::ConnectionReset, "{end}");
}

#[test]
fn a_closed_port_refuses_until_it_is_opened() {
    let wire = Wire::http();
    wire.play([vec![Step::Request, send("text")]]);
    for _ in 0..3 {
        assert_eq!(exchange(connect(&wire)).expect("it is open"), "text");
        let mut open = connect(&wire);
        wire.close();
        wire.close();
        let refusal = TcpStream::connect(address(&wire)).expect_err("it is closed");
        assert_eq!(refusal.kind(), ErrorKind::ConnectionRefused);
        assert!(matches!(open.read(&mut [0]), Ok(0) | Err(_)), "what was open is closed, too");
        wire.open();
        wire.open();
    }
}

#[test]
fn a_certificate_has_the_defect_that_its_name_says() {
    let wire = Wire::https();
    assert!(wire.jwks_uri().starts_with("https://127.0.0.1:"));
    for (certificate, judgement) in [
        (Certificate::Good, None),
        (Certificate::SelfSigned, Some("UnknownIssuer")),
        (Certificate::OtherName, Some("certificate not valid for name")),
        (Certificate::Expired, Some("certificate expired")),
        (Certificate::NotYetValid, Some("certificate not valid yet")),
    ] {
        wire.play([vec![Step::Tls(certificate), Step::Request, send("text")]]);
        let answer = exchange(shake_hands(&wire)).map_err(|error| error.to_string());
        match judgement {
            None => assert_eq!(answer.as_deref(), Ok("text")),
            Some(judgement) => assert!(answer.as_ref().is_err_and(|error| error.contains(judgement)), "{answer:?}"),
        }
    }
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: wire\r\n\r\n";

fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

fn address(wire: &Wire) -> String {
    wire.jwks_uri().split('/').nth(2).expect("a URL has an authority").to_owned()
}

fn connect(wire: &Wire) -> TcpStream {
    TcpStream::connect(address(wire)).expect("it accepts connections")
}

/// A client that trusts the wire's CA, and knows it by its address.
fn shake_hands(wire: &Wire) -> StreamOwned<ClientConnection, TcpStream> {
    let pem = fs::read(wire.ca_file().expect("https has a CA")).expect("it is there");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).expect("it is PEM")).expect("it is a CA");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("it is a name");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("the configuration is whole"), connect(wire))
}

/// Asks, and reads to the end.
fn exchange(mut stream: impl Read + Write) -> io::Result<String> {
    // A script that reads nothing may be over by now.
    let asked = stream.write_all(REQUEST.as_bytes()).and_then(|()| stream.flush());
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Ok(_) => Ok(answer),
        Err(error) => Err(asked.err().unwrap_or(error)),
    }
}

/// Whether a connection is closed at once. That may break it: what the client has sent is not read.
fn says_nothing(wire: &Wire) -> bool {
    exchange(connect(wire)).map_or(true, |answer| answer.is_empty())
}

#[track_caller]
fn eventually(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came true");
        sleep(Duration::from_millis(5));
    }
}
