use super::*;
use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::with_default;
use tracing::{debug, info, info_span, warn};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written of four lines, the last three within a span like the runtime's.
fn written(variables: &[(&str, &str)]) -> String {
    let variable =
        |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
    let written = Written::default();
    let writer = written.clone();
    let (subscriber, understood) = subscriber(variable, move || writer.clone());
    assert!(understood, "{variables:?}");
    with_default(subscriber, || {
        info!("alone");
        let span = info_span!(target: "lambda_runtime::layers::trace", "Lambda runtime invoke", requestId = "\"1\"");
        span.in_scope(|| {
            debug!("in detail");
            info!(code = "a\nb", n = 7, "with fields");
            warn!("at last");
        });
    });
    let written = written.0.lock().expect("no panic").clone();
    String::from_utf8(written).expect("UTF-8")
}

#[test]
fn each_line_is_an_object_with_the_ids_of_its_request() {
    let span = r#""span":{"requestId":"\"1\"","name":"Lambda runtime invoke"}"#;
    let lines = [
        r#"{"level":"INFO","fields":{"message":"alone"}}"#.to_owned(),
        format!(r#"{{"level":"INFO","fields":{{"message":"with fields","code":"a\nb","n":7}},{span}}}"#),
        format!(r#"{{"level":"WARN","fields":{{"message":"at last"}},{span}}}"#),
    ];
    assert_eq!(written(&[]), lines.join("\n") + "\n");
    // Whatever the level.
    assert_eq!(written(&[("AWS_LAMBDA_LOG_LEVEL", "WARN")]), lines[2].clone() + "\n");
}

#[test]
fn the_level_is_lambda_s_then_rust_s() {
    let rows: &[(&[(&str, &str)], usize)] = &[
        (&[], 3),
        (&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")], 4),
        (&[("AWS_LAMBDA_LOG_LEVEL", "WARN")], 1),
        (&[("AWS_LAMBDA_LOG_LEVEL", "loud")], 3),
        (&[("RUST_LOG", "debug")], 4),
        (&[("RUST_LOG", "warn")], 1),
        (&[("RUST_LOG", "debug"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")], 1),
        (&[("RUST_LOG", "api_authorization::log=debug"), ("AWS_LAMBDA_LOG_LEVEL", "ERROR")], 4),
        (&[("RUST_LOG", "hyper=debug")], 3),
        (&[("RUST_LOG", "")], 3),
        (&[("RUST_LOG", " ,")], 3),
        (&[("RUST_LOG", "info,")], 3),
        (&[("RUST_LOG", "warn, api_authorization::log=debug")], 4),
        (&[("AWS_LAMBDA_LOG_LEVEL", "")], 3),
    ];
    for (variables, lines) in rows {
        assert_eq!(written(variables).lines().count(), *lines, "{variables:?}");
    }
    assert!(!subscriber(|name| (name == "RUST_LOG").then(|| "hyper=loud".to_owned()), io::sink).1);
}
