//! Paths in the environment -> the candidates and the events that they get.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, fs, io};

use tenant::{Key, Tenant};
use serde_json::{Value, json};

use crate::candidate::Candidate;

/// Who is measured, with what.
pub struct LineUp {
    pub tenant: Tenant,
    /// All that are compared: this function is the first, the bare one the second.
    pub candidates: Vec<Candidate>,
    /// What is measured for its cold start alone: the same with their keys at hand.
    pub cold_alone: Vec<Candidate>,
    pub token: String,
    pub event: String,
    /// What this function refuses, by name.
    pub refused: Vec<(&'static str, String)>,
    /// Name -> bytes of what would be uploaded.
    pub zips: Vec<(&'static str, u64)>,
}

pub const OURS: &str = "api-authorization";
pub const PINNED: &str = "api-authorization, PINNED_JWKS";
pub const BARE: &str = "bare lambda_http";
pub const JWT_VERIFY: &str = "aws-jwt-verify";
pub const HYDRATED: &str = "aws-jwt-verify, keys fetched in init";
pub const EXPRESS: &str = "express-oauth2-jwt-bearer";
pub const FLASK: &str = "Flask quickstart";

impl LineUp {
    pub fn from_env() -> io::Result<Self> {
        let tenant = Tenant::blocking_https();
        let bench = PathBuf::from(variable("BENCH")?);
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
        ];
        let candidate = |name, command: &[&str], folder: &str, handler: &str| -> Candidate {
            let command = command.iter().map(OsString::from).collect();
            let mut environment = environment.clone();
            environment.push(("LAMBDA_TASK_ROOT", bench.join(folder).to_string_lossy().into_owned()));
            environment.push(("_HANDLER", handler.to_owned()));
            Candidate { name, command, folder: bench.join(folder), environment }
        };
        let (node, python) = (variable("NODE")?, variable("PYTHON")?);
        let on_node =
            |name, handler| candidate(name, &[&node, "node_modules/aws-lambda-ric/index.mjs"], "node", handler);
        let on_python =
            |name, handler| candidate(name, &[&python, "-m", "awslambdaric", handler], "target/flask", handler);
        let candidates = vec![
            candidate(OURS, &[&variable("FUNCTION")?], ".", "bootstrap"),
            candidate(BARE, &[&variable("BARE")?], ".", "bootstrap"),
            on_node(JWT_VERIFY, "dist/aws-jwt-verify.handler"),
            on_node(EXPRESS, "dist/express-oauth2-jwt-bearer.handler"),
            on_python(FLASK, "app.handler"),
        ];
        let cold_alone = vec![
            candidates[0].with(PINNED, "PINNED_JWKS", tenant.jwks().to_string()),
            candidates[2].with(HYDRATED, "HYDRATE", "1".to_owned()),
        ];

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
        Ok(Self {
            refused: vec![
                ("missing header", event(None)),
                ("malformed", bearer(token.replace('.', "!"))),
                ("expired", bearer(tenant.token().at(1_700_000_000).sign())),
                ("unknown kid, in its pause", bearer(tenant.token().signed_by(&Key::generate("stranger")).sign())),
            ],
            event: bearer(token.clone()),
            zips: [(OURS, "function"), (BARE, "bare"), (JWT_VERIFY, "jwt"), (EXPRESS, "express"), (FLASK, "flask")]
                .map(|(name, file)| (name, fs::metadata(bench.join("target").join(file).with_extension("zip"))))
                .into_iter()
                .map(|(name, file)| Ok((name, file?.len())))
                .collect::<io::Result<_>>()?,
            tenant,
            candidates,
            cold_alone,
            token,
        })
    }
}

/// What scripts/bench hands over.
pub fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|_| io::Error::other(format!("{name} is not set: start this by make bench")))
}
