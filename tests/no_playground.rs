//! The function, as it is built and deployed -> nothing of the stand-in tenant and its playground in it.

use std::fs;
use std::process::Command;

#[test]
fn nothing_that_the_function_is_built_from_is_the_stand_in_tenant() {
    let packages = |edges: &str| {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--package", "api-authorization", "--edges", edges, "--prefix", "none"])
            .args(["--locked", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        let tree = String::from_utf8(tree.stdout).expect("names");
        tree.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    // One profile or another makes no difference to what is linked: dependencies have none.
    let built_from = packages("normal,build");
    assert!(built_from.iter().any(|name| name == "lambda_http"), "{built_from:?}");
    for name in ["tenant", "axum"] {
        assert!(!built_from.iter().any(|built| built == name), "the function is built from {name}");
        assert!(packages("all").iter().any(|built| built == name), "{name} is what the tests use");
    }
}

#[test]
fn its_binary_has_none_of_the_page() {
    let page = include_str!("../tenant/src/playground.html");
    let binary = fs::read(env!("CARGO_BIN_EXE_api-authorization")).expect("the binary");
    let binary = String::from_utf8_lossy(&binary);
    for mark in ["<title>Playground of api-authorization</title>", "/playground/tenant"] {
        assert!(page.contains(mark), "the page has no {mark}");
        assert!(!binary.contains(mark), "the binary has {mark}");
    }
    assert!(binary.contains("Unable to parse authentication token."), "what it should have is found so");
}
