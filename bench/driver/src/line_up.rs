//! Paths in the environment -> the candidates and the events that they get.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, fs, io};

use serde_json::{Value, json};
use tenant::{Key, Tenant};

use crate::candidate::Candidate;
use crate::far;

/// Who is measured, with what.
pub struct LineUp {
    pub tenant: Tenant,
    /// All that are compared.
    pub candidates: Vec<Candidate>,
    /// What is measured for its cold start alone.
    pub cold_alone: Vec<Candidate>,
    pub far: Far,
    pub token: String,
    pub event: String,
    /// What a Lambda authorizer is asked: a REST API's `REQUEST`, with the same token.
    authorizer_event: String,
    /// What this function refuses, by name.
    pub refused: Vec<(&'static str, String)>,
    /// Name -> bytes of what would be uploaded.
    pub zips: Vec<(&'static str, u64)>,
}

/// Who is measured for its cold start with a network between it and the tenant.
pub struct Far {
    pub candidates: Vec<Candidate>,
    /// For them, the tenant is at another port, and so its tokens are of another issuer.
    pub event: String,
    pub jwks_uri: String,
}

pub const OURS: &str = "api-authorization";
pub const PINNED: &str = "api-authorization, PINNED_JWKS";
pub const FIRST: &str = "first edition";
/// The same once more: what its cold starts differ by is chance.
pub const FIRST_AGAIN: &str = "first edition, again";
pub const FIRST_PINNED: &str = "first edition, PINNED_JWKS";
pub const BARE_RUNTIME: &str = "bare lambda_runtime";
pub const BARE_HTTP: &str = "bare lambda_http";
pub const JWT_VERIFY: &str = "aws-jwt-verify";
pub const HYDRATED: &str = "aws-jwt-verify, keys fetched in init";
pub const EXPRESS: &str = "express-oauth2-jwt-bearer";
pub const FLASK: &str = "Flask quickstart";
pub const AUTHORIZER: &str = "authorizer";
pub const POWERTOOLS: &str = "Powertools authorizer";
pub const POWERTOOLS_HYDRATED: &str = "Powertools authorizer, keys and imports in init";

/// Those that a gateway asks before it calls an API.
pub const AUTHORIZERS: [&str; 3] = [AUTHORIZER, POWERTOOLS, POWERTOOLS_HYDRATED];

/// Those of which something is expected there, in the order of the rows.
pub const FAR: [&str; 5] = [PINNED, OURS, FIRST, BARE_HTTP, HYDRATED];

impl LineUp {
    pub fn from_env() -> io::Result<Self> {
        let tenant = Tenant::blocking_https();
        let bench = PathBuf::from(variable("BENCH")?);
        let (mut candidates, mut zips) = (Vec::new(), Vec::new());
        for word in variable("ONLY")?.split_whitespace() {
            let candidate = candidate(word, &tenant)?;
            zips.push((candidate.name, fs::metadata(bench.join("target").join(format!("{word}.zip")))?.len()));
            candidates.push(candidate);
        }
        let variants = [
            (OURS, PINNED, Some(("PINNED_JWKS", tenant.jwks().to_string()))),
            (FIRST, FIRST_AGAIN, None),
            (FIRST, FIRST_PINNED, Some(("PINNED_JWKS", tenant.jwks().to_string()))),
            (JWT_VERIFY, HYDRATED, Some(("HYDRATE", "1".to_owned()))),
            (POWERTOOLS, POWERTOOLS_HYDRATED, Some(("HYDRATE", "1".to_owned()))),
        ];
        let cold_alone = variants.into_iter().filter_map(|(name, variant, variable)| {
            let candidate = candidates.iter().find(|candidate| candidate.name == name)?;
            Some(candidate.with(variant, variable))
        });
        let cold_alone: Vec<_> = cold_alone.collect();

        let template: Value = serde_json::from_str(&fs::read_to_string(bench.join("../events/private.json"))?)?;
        let event = |authorization: Option<String>| {
            let mut event = template.clone();
            if let Some(authorization) = authorization {
                event["headers"]["authorization"] = json!(authorization);
            }
            event.to_string()
        };
        let bearer = |token: String| event(Some(format!("Bearer {token}")));
        let token = tenant.token().sign();
        let authorizer_event = fs::read_to_string(bench.join("../events/authorizer/request.json"))?;
        Ok(Self {
            refused: vec![
                ("missing header", event(None)),
                ("malformed", bearer(token.replace('.', "!"))),
                ("expired", bearer(tenant.token().at(1_700_000_000).sign())),
                ("unknown kid, in its pause", bearer(tenant.token().signed_by(&Key::generate("stranger")).sign())),
            ],
            event: bearer(token.clone()),
            authorizer_event: authorizer_event.replace("ACCESS_TOKEN", &token),
            far: Far::new(&tenant, candidates.iter().chain(&cold_alone), bearer)?,
            cold_alone,
            zips,
            tenant,
            candidates,
            token,
        })
    }

    /// What a candidate answers with the tenant near.
    pub fn event_for(&self, candidate: &Candidate) -> &str {
        if AUTHORIZERS.contains(&candidate.name) { &self.authorizer_event } else { &self.event }
    }
}

impl Far {
    fn new<'a>(
        tenant: &Tenant,
        near: impl Iterator<Item = &'a Candidate>,
        event: impl Fn(String) -> String,
    ) -> io::Result<Self> {
        let domain = far::from(tenant.domain().parse().map_err(io::Error::other)?)?.to_string();
        let away = |candidate: &Candidate| candidate.with(candidate.name, Some(("AUTH0_DOMAIN", domain.clone())));
        Ok(Self {
            candidates: near.filter(|candidate| FAR.contains(&candidate.name)).map(away).collect(),
            event: event(tenant.token().claim("iss", format!("https://{domain}/")).sign()),
            jwks_uri: tenant.jwks_uri().replace(&tenant.domain(), &domain),
        })
    }
}

/// What scripts/bench hands over.
pub fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|_| io::Error::other(format!("{name} is not set: start this by make bench")))
}

/// By the word that scripts/bench knows it by.
fn candidate(word: &str, tenant: &Tenant) -> io::Result<Candidate> {
    let binary = |name, path| in_folder(".", name, vec![variable(path)?], "bootstrap", tenant);
    let on_node = |name, handler| {
        in_folder(
            "node",
            name,
            vec![variable("NODE")?, "node_modules/aws-lambda-ric/index.mjs".into()],
            handler,
            tenant,
        )
    };
    let on_python = |name, folder: &str| {
        let command = vec![variable("PYTHON")?, "-m".into(), "awslambdaric".into(), "app.handler".into()];
        in_folder(folder, name, command, "app.handler", tenant)
    };
    match word {
        "function" => binary(OURS, "FUNCTION"),
        "first-edition" => binary(FIRST, "FIRST_EDITION"),
        "lambda_runtime" => binary(BARE_RUNTIME, "BARE_RUNTIME"),
        "lambda_http" => binary(BARE_HTTP, "BARE_HTTP"),
        "aws-jwt-verify" => on_node(JWT_VERIFY, "dist/aws-jwt-verify.handler"),
        "express" => on_node(EXPRESS, "dist/express-oauth2-jwt-bearer.handler"),
        "flask" => on_python(FLASK, "target/flask"),
        "authorizer" => {
            let any_valid_token = Some(("ROUTE_SCOPES", r#"{"*":[]}"#.to_owned()));
            Ok(binary(AUTHORIZER, "AUTHORIZER")?.with(AUTHORIZER, any_valid_token))
        }
        "powertools" => on_python(POWERTOOLS, "target/powertools"),
        _ => Err(io::Error::other(format!("ONLY names {word}, which is no candidate"))),
    }
}

/// All get the same environment, but for where they live.
fn in_folder(
    folder: &str,
    name: &'static str,
    command: Vec<String>,
    handler: &str,
    tenant: &Tenant,
) -> io::Result<Candidate> {
    let folder = PathBuf::from(variable("BENCH")?).join(folder);
    let ca = tenant.ca_file().expect("a tenant over https").to_string_lossy().into_owned();
    let environment = vec![
        ("AUTH0_DOMAIN", tenant.domain()),
        ("API_AUDIENCE", tenant::AUDIENCE.to_owned()),
        ("SSL_CERT_FILE", ca.clone()),
        ("NODE_EXTRA_CA_CERTS", ca),
        ("NODE_ENV", "production".to_owned()),
        ("PATH", env::var("PATH").unwrap_or_default()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "api".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/api".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/26/[$LATEST]0".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("LAMBDA_TASK_ROOT", folder.to_string_lossy().into_owned()),
        ("_HANDLER", handler.to_owned()),
    ];
    Ok(Candidate { name, command: command.into_iter().map(OsString::from).collect(), folder, environment })
}
