//! README's diff that adds endpoints: applied to a copy of this project, built, and called.

mod front_door;
mod lambda;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use front_door::event;
use lambda::{Lambda, sandbox};
use serde_json::{Value, json};
use tenant::Tenant;

#[tokio::test]
async fn the_diff_adds_endpoints() {
    let copy = copy();
    apply(&diff(), &copy);
    let binary = build(&copy);

    let routes = sandbox(&binary).arg("routes").output().expect("the binary").stdout;
    let routes = String::from_utf8(routes).expect("UTF-8");
    let (methods, events) = routes.split_once('\n').expect("lines");
    let template = fs::read_to_string(copy.join("template.yaml")).expect("the template");
    let methods = methods.strip_prefix("# CorsConfiguration: ").expect("what CORS allows");
    assert!(template.contains(&format!(" {methods}\n")), "{methods}");
    assert!(template.contains(events), "{events}");

    let tenant = Tenant::https().await;
    let function = Lambda::run(sandbox(&binary), &tenant, &[]).await;
    let call = async |method: &str, path: &str, scope: &str, body: Option<&str>| {
        let bearer = format!("Bearer {}", tenant.token().scope(scope).sign());
        let mut event = event(method, path, &[("authorization", &bearer), ("content-type", "application/json")]);
        event["body"] = json!(body);
        let answer = function.send(&event).await;
        let body = serde_json::from_str::<Value>(answer.body.as_deref().expect("a body")).expect("JSON");
        (answer.status, body, answer.header("location").map(str::to_owned))
    };
    let (write, read) = ("write:messages", "read:messages");
    let (status, message, location) = call("POST", "/api/messages", write, Some(r#"{"text":"Hi"}"#)).await;
    assert_eq!((status, location.as_deref()), (201, Some("/api/messages/1")));
    assert_eq!(message, json!({ "id": 1, "text": "Hi", "author": "auth0|5f7c8ec7c33c6c004bbafe82" }));
    let (status, message, _) = call("GET", "/api/messages/1", read, None).await;
    assert_eq!((status, message), (200, json!({ "id": 1, "text": "Hello" })));
    for (method, path, scope, body, status, code) in [
        ("POST", "/api/messages", read, Some(r#"{"text":"Hi"}"#), 403, "Unauthorized"),
        ("POST", "/api/messages", write, Some(r#"{"text":7}"#), 400, "bad_request"),
        ("POST", "/api/messages", write, None, 400, "bad_request"),
        ("GET", "/api/messages", write, None, 405, "method_not_allowed"),
        ("GET", "/api/messages/1", write, None, 403, "Unauthorized"),
        ("GET", "/api/messages/2", read, None, 404, "message_not_found"),
    ] {
        let (found, body, _) = call(method, path, scope, body).await;
        assert_eq!((found, &body["code"]), (status, &json!(code)), "{method} {path} {scope}");
    }
}

#[test]
fn the_test_of_an_endpoint_is_one_that_runs() {
    let readme = fs::read_to_string(project().join("README.md")).expect("README.md");
    assert!(readme.contains(&format!("```rust\n{}```\n", include_str!("yours.rs"))), "tests/yours.rs is another one");
}

/// What stands between the fences of the README's one diff.
fn diff() -> String {
    let readme = fs::read_to_string(project().join("README.md")).expect("the README");
    let blocks: Vec<_> = readme.split("\n```diff\n").skip(1).collect();
    assert_eq!(blocks.len(), 1, "one diff");
    let (diff, _) = blocks[0].split_once("\n```").expect("its end");
    format!("{diff}\n")
}

/// Applies it, unless you have.
fn apply(diff: &str, copy: &Path) {
    let file = copy.with_extension("diff");
    fs::write(&file, diff).expect("a file");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        // Not the repository that the copy may lie in.
        git.env("GIT_CEILING_DIRECTORIES", copy.parent().expect("a folder")).current_dir(copy);
        git.arg("apply").args(arguments).arg(&file).output().expect("git")
    };
    if git(&["--reverse", "--check"]).status.success() {
        return;
    }
    let applied = git(&[]);
    assert!(
        applied.status.success(),
        "The README's diff is for the table that this project began with. If yours is another, delete this file, its lines in Cargo.toml and its line in scripts/test.\n{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    for patched in ["src/routes.rs", "template.yaml"] {
        age(&copy.join(patched), &[patched.as_ref(), "README.md".as_ref()]);
    }
}

/// Builds the copy beside this project, from the same builds of all dependencies.
fn build(copy: &Path) -> PathBuf {
    // Where cargo has put this project's own binary.
    let profile = Path::new(env!("CARGO_BIN_EXE_api-authorization")).parent().expect("a folder");
    let name = match profile.file_name().and_then(|name| name.to_str()).expect("a profile") {
        "debug" => "dev",
        name => name,
    };
    // `test`, because that asks for the features that this build has.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--offline", "--quiet", "--no-run", "--test=none", "--profile", name]);
    let built = cargo.env("CARGO_TARGET_DIR", profile.parent().expect("a folder")).current_dir(copy).output();
    let built = built.expect("cargo");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    profile.join("readme-example")
}

/// What a build needs of this project, as a package and a binary of another name, so that neither takes the place of this
/// one's.
fn copy() -> PathBuf {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-example");
    _ = fs::remove_dir_all(&copy);
    for part in ["src", "benches", ".cargo", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "template.yaml"] {
        copy_all(part.as_ref(), &copy);
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(copy.join(file)).expect("a file");
        let text = text
            .replace("name = \"api-authorization\"\n", "name = \"readme-example\"\n")
            .replace("default-run = \"api-authorization\"", "default-run = \"readme-example\"")
            .replace("\n[dependencies]\n", "\n[lib]\nname = \"api_authorization\"\n\n[dependencies]\n")
            .replace("members = [\"tenant\"]", "")
            .replace("[[test]]\nname = \"freeze\"\ntest = false\n", "")
            .replace("[[test]]\nname = \"readme\"\ntest = false\n", "")
            .replace("[[test]]\nname = \"fleet\"\ntest = false\n", "")
            .replace("[[test]]\nname = \"soak\"\ntest = false\n", "")
            .replace("path = \"tenant\"", &format!("path = \"{}\"", project().join("tenant").display()));
        fs::write(copy.join(file), text).expect("a file");
    }
    fs::remove_dir_all(copy.join("src/bin")).expect("a folder");
    fs::create_dir(copy.join("tests")).expect("a folder");
    fs::write(copy.join("tests/none.rs"), "").expect("a file");
    copy
}

fn copy_all(part: &Path, copy: &Path) {
    let (from, to) = (project().join(part), copy.join(part));
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a folder") {
            copy_all(&part.join(entry.expect("an entry").file_name()), copy);
        }
        return;
    }
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::copy(from, &to).expect("a copy");
    age(&to, &[part]);
}

/// Makes a file as old as the newest of these: cargo builds again what is newer than its last build.
fn age(file: &Path, like: &[&Path]) {
    let modified = |file: &&Path| fs::metadata(project().join(file)).and_then(|it| it.modified()).expect("a time");
    let time: SystemTime = like.iter().map(modified).max().expect("a file");
    File::options().append(true).open(file).and_then(|file| file.set_modified(time)).expect("a file");
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
