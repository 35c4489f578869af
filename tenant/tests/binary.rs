//! The environment -> what the binary does about it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

#[test]
fn it_says_where_it_listens_and_makes_tokens_for_the_audience_it_is_told_until_it_is_ended() {
    let mut running = Running(
        tenant("0").env("API_AUDIENCE", "https://mine.example/api , https://b.example/").spawn().expect("it starts"),
    );
    let mut lines = BufReader::new(running.0.stdout.take().expect("its output is piped")).lines();
    let [line, playground] = [(); 2].map(|()| lines.next().expect("it says two lines").expect("it speaks UTF-8"));
    let domain = line.split(['=', ' ']).find(|word| word.starts_with("127.0.0.1:")).expect("the line has its domain");

    assert_eq!(playground, format!("The playground: http://{domain}/"));

    let mut stream = TcpStream::connect(domain).expect("it listens where it says");
    write!(stream, "GET /token?kind=valid HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, token) = answer.split_once("\r\n\r\n").expect("a blank line ends the head");
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain"), "{head}");
    let payload = token.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok()).expect("a JWS");
    let claims: Value = serde_json::from_slice(&payload).expect("claims are JSON");
    assert_eq!(claims["aud"], json!(["https://mine.example/api", format!("https://{domain}/userinfo")]));

    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().expect("kill runs").success());
    running.0.wait().expect("it ends");
}

#[test]
fn where_issuers_are_set_it_is_one_by_its_own_url_beside_a_second() {
    let set = [("ISSUERS", "http://127.0.0.1/"), ("GRANTS", "permissions"), ("EXPECTED_CLAIMS", " ")];
    let mut running = Running(tenant("0").envs(set).spawn().expect("it starts"));
    let mut lines = BufReader::new(running.0.stdout.take().expect("its output is piped")).lines();
    let line = lines.next().expect("a line").expect("it speaks UTF-8");
    let (_, list) = line.split_once(" ISSUERS=").expect("the line has its issuers");
    let (issuer, second) = list.split_once(' ').and_then(|(list, _)| list.split_once(',')).expect("two");
    assert_eq!(second, format!("{issuer}second/"));
    let domain = issuer.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).expect("http on this machine");

    let mut stream = TcpStream::connect(domain).expect("it listens where it says");
    write!(stream, "GET /playground/tenant HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (_, described) = answer.split_once("\r\n\r\n").expect("a blank line ends the head");
    let described: Value = serde_json::from_str(described).expect("JSON");
    assert_eq!((described["issuer"].as_str(), described["second"]["issuer"].as_str()), (Some(issuer), Some(second)));
    let settings = json!({ "ISSUERS": "http://127.0.0.1/", "GRANTS": "permissions" });
    assert_eq!(described["settings"], settings, "an empty one is not set");
}

#[test]
fn what_it_cannot_start_with_it_says_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
    let taken = taken.local_addr().expect("a listener has an address").port().to_string();
    for (port, function, says) in [
        (taken.as_str(), "http://127.0.0.1:9000", "set TENANT_PORT to a free one"),
        ("http", "http://127.0.0.1:9000", "TENANT_PORT must be a port"),
        ("0", "", "FUNCTION_URL must be a URL"),
        ("0", "127.0.0.1:9000", "FUNCTION_URL must be a URL"),
        ("0", "https://127.0.0.1:9000", "FUNCTION_URL must be a URL"), // it speaks no TLS
        ("0", "ftp://127.0.0.1:9000", "FUNCTION_URL must be a URL"),
        ("0", "http://127.0.0.1:9000/?query", "FUNCTION_URL must be a URL"),
        ("0", "http://127.0.0.1:9000; script-src *", "FUNCTION_URL must be a URL"),
    ] {
        let output = tenant(port).env("FUNCTION_URL", function).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{port} {function}");
        let sentence = String::from_utf8(output.stderr).expect("it speaks UTF-8");
        assert!(sentence.contains(says) && sentence.lines().count() == 1, "{port} {function}: {sentence}");
    }
}

fn tenant(port: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenant"));
    command.env("TENANT_PORT", port).stdout(Stdio::piped());
    for name in ["API_AUDIENCE", "FUNCTION_URL", "ISSUERS", "GRANTS", "EXPECTED_CLAIMS", "ANONYMOUS_SESSIONS"] {
        command.env_remove(name);
    }
    command
}

/// Ends the process even where the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
