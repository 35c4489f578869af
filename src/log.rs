//! Environment -> how the log is written: each line as text, or, where Lambda asks for JSON, as an object.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_http::tracing::subscriber::filter::{LevelFilter, Targets};
use lambda_http::tracing::subscriber::fmt::format::{DefaultFields, JsonFields, Writer};
use lambda_http::tracing::subscriber::fmt::{
    self as lines, FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
};
use lambda_http::tracing::subscriber::prelude::*;
use lambda_http::tracing::subscriber::registry;
use lambda_http::tracing::subscriber::registry::{LookupSpan, SpanRef};
use lambda_http::tracing::{Event, Subscriber};
use lambda_runtime::{LambdaInvocation, Service};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::futures::TaskLocalFuture;
use tracing_serde::fields::AsMap;

tokio::task_local! {
    /// Lambda's id of the request that is being answered. Each line that is written for it bears it.
    static REQUEST_ID: Arc<str>;
}

/// Sets the id for all that is done for one event, from reading it on.
#[derive(Clone)]
pub struct WithRequestId<S>(pub S);

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for WithRequestId<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<Arc<str>, S::Future>;

    fn poll_ready(&mut self, task: &mut Context) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let id: Arc<str> = invocation.context.request_id.as_str().into();
        let answer = REQUEST_ID.sync_scope(Arc::clone(&id), || self.0.call(invocation));
        REQUEST_ID.scope(id, answer)
    }
}

/// Sets the log up, once a process, by the variables that every function in Rust knows: `AWS_LAMBDA_LOG_FORMAT`
/// (`JSON` or text), `AWS_LAMBDA_LOG_LEVEL` (by default `INFO`), and `RUST_LOG`, a list of `target=level` with commas
/// between. Lambda's level goes before a bare one in `RUST_LOG`; lambda_runtime says no more than warnings unless it is
/// named there.
pub fn init(variable: impl Fn(&str) -> Option<String>, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let (subscriber, understood) = subscriber(variable, writer);
    subscriber.init();
    if !understood {
        tracing::warn!("RUST_LOG is left out of account: set it to a level, or to target=level, with commas between.");
    }
}

/// What writes the log, and whether `RUST_LOG` was understood.
fn subscriber(
    variable: impl Fn(&str) -> Option<String>,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> (impl Subscriber + Send + Sync, bool) {
    // An empty item would mean `error`.
    let list = variable("RUST_LOG").unwrap_or_default();
    let items: Vec<_> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    let targets = if items.is_empty() { Ok(Targets::new()) } else { items.join(",").parse() };
    let understood = targets.is_ok();
    let targets = targets.unwrap_or_default();
    let level = variable("AWS_LAMBDA_LOG_LEVEL").filter(|level| !level.is_empty()).and_then(|level| level.parse().ok());
    let level = level.or(targets.default_level()).unwrap_or(LevelFilter::INFO);
    // Where several events are under way at once, it has a span around each that says nothing.
    let quiet = Targets::new().with_default(level).with_target("lambda_runtime", level.min(LevelFilter::WARN));
    let json = variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let lines = lines::layer().fmt_fields(JsonFields::new()).event_format(Line { json }).with_writer(writer);
    (registry().with(quiet.with_targets(targets)).with(lines), understood)
}

/// `INFO <request id> <message> <fields>`, or [`Json`]. tracing-subscriber's own formats take the id from a span alone,
/// which is written, read and written twice again: 4 of the 105 µs that a warm request took.
struct Line {
    json: bool,
}

/// One line: `{"level":"INFO","requestId":…,"fields":{"message":…,…}}`.
#[derive(Serialize)]
struct Json<'a, F> {
    level: &'a str,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    fields: F,
    /// The innermost of spans of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<&'a RawValue>,
}

impl<S> FormatEvent<S, JsonFields> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(&self, line: &FmtContext<'_, S, JsonFields>, mut writer: Writer, event: &Event) -> fmt::Result {
        let level = event.metadata().level();
        let request_id = REQUEST_ID.try_with(Arc::clone).ok();
        let request_id = request_id.as_deref();
        let span = line.parent_span();
        let span = span.as_ref().map(SpanRef::extensions);
        let span = span.as_ref().and_then(|span| span.get::<FormattedFields<JsonFields>>()).map(|fields| &***fields);
        if self.json {
            let span = span.and_then(|fields| serde_json::from_str(fields).ok());
            let json = Json { level: level.as_str(), request_id, fields: event.field_map(), span };
            return writeln!(writer, "{}", serde_json::to_string(&json).map_err(|_| fmt::Error)?);
        }
        write!(writer, "{level:>5} ")?;
        if let Some(id) = request_id {
            write!(writer, "{id} ")?;
        }
        DefaultFields::new().format_fields(writer.by_ref(), event)?;
        if let Some(fields) = span {
            write!(writer, " {fields}")?;
        }
        writeln!(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Mutex;

    use tracing::subscriber::with_default;
    use tracing::{debug, info, info_span, warn};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of four lines, the last three within a request and the last within a span.
    fn written(variables: &[(&str, &str)]) -> String {
        let variable =
            |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        let written = Written::default();
        let writer = written.clone();
        let (subscriber, understood) = subscriber(variable, move || writer.clone());
        assert!(understood, "{variables:?}");
        with_default(subscriber, || {
            info!("alone");
            REQUEST_ID.sync_scope("\"1\"".into(), || {
                debug!("in detail");
                info!(code = "a\nb", n = 7, "with fields");
                let _span = info_span!("yours", user = true).entered();
                warn!("in a span");
            });
        });
        let written = written.0.lock().expect("no panic").clone();
        String::from_utf8(written).expect("text")
    }

    #[test]
    fn text_and_json() {
        let text = [r" INFO alone", r#" INFO "1" with fields code="a\nb" n=7"#, r#" WARN "1" in a span {"user":true}"#];
        let json = [
            r#"{"level":"INFO","fields":{"message":"alone"}}"#,
            r#"{"level":"INFO","requestId":"\"1\"","fields":{"message":"with fields","code":"a\nb","n":7}}"#,
            r#"{"level":"WARN","requestId":"\"1\"","fields":{"message":"in a span"},"span":{"user":true}}"#,
        ];
        for (format, lines) in [("", text), ("Text", text), ("JSON", json), ("json", json)] {
            assert_eq!(written(&[("AWS_LAMBDA_LOG_FORMAT", format)]), lines.join("\n") + "\n", "{format}");
        }
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
}
