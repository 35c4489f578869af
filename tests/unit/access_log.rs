use super::*;

#[test]
fn what_the_log_takes_for_a_trace_id() {
    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
    for (header, expected) in [
        (format!("Root={ROOT}"), Some(ROOT)),
        (format!("Self=1-67891233-abcdef012345678912345678;Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"), Some(ROOT)),
        (format!("Sampled=0; Root={ROOT}"), Some(ROOT)),
        // What is no such id may be anything, a token too.
        (format!("Root={ROOT}0"), None),
        (format!("Root=2-{}", &ROOT[2..]), None),
        (format!("Root=1-{}-{}", "x".repeat(8), "0".repeat(24)), None),
        (format!("Root=1-{}-{}", "0".repeat(24), "0".repeat(8)), None),
        ("Root=eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned(), None),
        ("Root=".to_owned(), None),
        (ROOT.to_owned(), None),
        (String::new(), None),
    ] {
        let request =
            lambda_http::http::Request::builder().header("x-amzn-trace-id", &header).body(lambda_http::Body::Empty);
        assert_eq!(trace_id(&request.expect("a request")), expected, "{header}");
    }
    assert_eq!(trace_id(&Request::default()), None);
}
