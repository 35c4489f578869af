//! Turns the environment into a stand-in tenant with a playground at a fixed port of this machine, for local runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::{env, process};

use axum::http::Uri;
use tenant::{Function, Tenant};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let tenant = start().await.unwrap_or_else(|sentence| {
        eprintln!("{sentence}");
        process::exit(1);
    });
    let (domain, issuer) = (tenant.domain(), tenant.issuer());
    let told = if issuer.starts_with("https:") {
        format!("AUTH0_DOMAIN={domain} JWKS_URI={}", tenant.jwks_uri())
    } else {
        format!("ISSUERS={issuer},{issuer}second/")
    };
    println!("The stand-in tenant listens: {told} and tokens at http://{domain}/token?kind=valid");
    println!("The playground: http://{domain}/");
    // A process that a shell starts in the background ignores SIGINT, unless it listens. SIGTERM ends it anyway.
    tokio::signal::ctrl_c().await.expect("a process can listen for SIGINT");
}

/// The tenant, or a sentence that tells how to fix the environment.
async fn start() -> Result<Tenant, String> {
    let port = match env::var("TENANT_PORT") {
        Err(_) => 9010,
        Ok(port) => {
            port.parse().map_err(|_| format!("TENANT_PORT must be a port number such as 9010, not {port:?}."))?
        }
    };
    let function = function()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let tenant = Tenant::bind_with_playground(address, function).await.map_err(|error| {
        format!("Port {port} cannot be had ({error}): end the program that holds it, or set TENANT_PORT to a free one.")
    })?;
    // Where the function takes tokens for several, these are for the first.
    if let Some(audience) = env::var("API_AUDIENCE").ok().as_deref().and_then(|list| list.split(',').next()) {
        tenant.set_audience(audience.trim());
    }
    Ok(tenant)
}

/// Where the playground finds the function, and how that is set: both are started with the same environment.
fn function() -> Result<Function, String> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    let names = ["ISSUERS", "GRANTS", "EXPECTED_CLAIMS", "ANONYMOUS_SESSIONS"];
    let settings = names.into_iter().filter_map(|name| Some((name.to_owned(), set(name)?)));
    Ok(Function { url: function_url()?, settings: settings.collect() })
}

fn function_url() -> Result<Uri, String> {
    let url = env::var("FUNCTION_URL").unwrap_or_else(|_| "http://127.0.0.1:9000".to_owned());
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
    uri.filter(|uri| uri.query().is_none())
        .ok_or_else(|| format!("FUNCTION_URL must be a URL such as http://127.0.0.1:9000, not {url:?}."))
}
