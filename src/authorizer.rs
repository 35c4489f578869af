//! A Lambda authorizer's event -> allow, deny or a failed invocation: the API's checks for what is written in another language.

mod event;
mod rules;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use lambda_http::http::StatusCode;
use lambda_runtime::{Context, Diagnostic};
use serde_json::{Value, value::RawValue};

use self::event::Question;
pub use self::rules::Rules;
use crate::access_log::{self, Entry};
use crate::config::Config;
use crate::error::ApiError;
use crate::issuers::{Issuer, Issuers};
use crate::log::shown;
use crate::reply::Problem;
use crate::token::Claims;
use crate::{bearer, grant, token};

/// What all decisions share.
pub struct Authorizer {
    rules: Rules,
    config: Config,
    issuers: Issuers,
    warm: AtomicBool,
}

impl Authorizer {
    /// Puts them together.
    pub fn new(rules: Rules, config: Config, issuers: Issuers) -> Self {
        Self { rules, config, issuers, warm: AtomicBool::new(false) }
    }

    /// Answers an event.
    ///
    /// # Errors
    /// `Unauthorized`, to the letter, is a gateway's 401, and any other failure its 500. A gateway keeps neither.
    pub async fn answer(&self, event: &RawValue, context: &Context) -> Result<Value, Diagnostic> {
        let started = Instant::now();
        let question = Question::read(event, self.rules.simple);
        let question = question.inspect_err(|failure| tracing::error!("{}", failure.error_message))?;
        let left = self.issuers.now().until(context.deadline);
        // Whose keys are behind the answer: the sole issuer's, or those of the issuer of a token that was accepted.
        let mut issuer = self.issuers.sole();
        let decision = self.decide(&question, left, &mut issuer);
        let decision = AssertUnwindSafe(decision).catch_unwind().await.unwrap_or(Err(ApiError::Panicked));
        let refusal = decision.as_ref().err();
        access_log::write(&Entry {
            ids: (question.api_request_id.as_deref().map(shown).as_deref(), None),
            route: &if question.route.is_empty() { "-".to_owned() } else { shown(&question.route) },
            protected: true,
            method: &question.method,
            status: refusal.map_or(StatusCode::OK, ApiError::status),
            refusal,
            latency: started.elapsed(),
            cold_start: !self.warm.swap(true, Ordering::Relaxed),
            issuer,
            several: self.issuers.sole().is_none(),
        });
        question.answer(&decision)
    }

    /// The checks of the API, in its order. What the route requires comes last.
    async fn decide<'a>(
        &'a self,
        question: &Question,
        left: Option<Duration>,
        issuer: &mut Option<&'a Issuer>,
    ) -> Result<Claims, ApiError> {
        if question.arn().is_some_and(is_odd) {
            return Err((&ODD_ARN).into());
        }
        let headers = question.headers()?;
        let claims = token::validate(&bearer::token(&headers)?, &self.issuers, &self.config, left).await?;
        *issuer = self.issuers.named(claims.issuer());
        if claims.subject().is_none_or(str::is_empty) {
            return Err((&NO_SUBJECT).into());
        }
        let required = self.rules.grant(&question.method, &question.route).ok_or(&ROUTE_NOT_LISTED)?;
        grant::require(&claims, required, self.config.grants)?;
        Ok(claims)
    }
}

/// A policy would take these for patterns and variables, and open more than was asked. `$default` is a stage's name.
fn is_odd(arn: &str) -> bool {
    arn.chars().count() > 512 || arn.contains(['*', '?']) || arn.contains("${") || arn.contains(char::is_control)
}

static ODD_ARN: Problem = Problem::new(401, "odd_arn", "A policy cannot name this ARN alone");
static NO_SUBJECT: Problem = Problem::new(401, "no_subject", "The token names no subject");
static ROUTE_NOT_LISTED: Problem = Problem::new(403, "route_not_listed", "ROUTE_SCOPES does not list this route");
