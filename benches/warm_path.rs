//! A warm authorised request in process, by its parts, and the floor beneath it: `cargo bench`.
//!
//! The floor is what aws-lc needs for a signature of RS256 where its key is ready. jsonwebtoken calls aws-lc, and makes the
//! key ready for each token.
//!
//! Validation has one door, so its parts are told apart by tokens that fail at the end of each: the difference of two
//! rows is a part.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

#[path = "../tests/front_door/mod.rs"]
mod front_door;

use std::hint::black_box;
use std::sync::Arc;

use api_authorization::bearer;
use api_authorization::error::ApiError;
use api_authorization::event::{self, Event};
use api_authorization::grant::{self, Grant};
use api_authorization::handler::{self, Api};
use api_authorization::routes::ROUTES;
use api_authorization::token::{self, Claims};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use front_door::{FrontDoor, config, event};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service;
use lambda_http::{Context, LambdaEvent, Request};
use tenant::{Key, Tenant};

fn parts(criterion: &mut Criterion) {
    let tenant = Tenant::blocking_http();
    let pinned = tenant.jwks().to_string();
    let door = FrontDoor::before(tenant, &[("PINNED_JWKS", &pinned)]);
    let config = config(&door.tenant, &[("PINNED_JWKS", &pinned)]);
    let token = || door.token().scope("openid profile email read:messages");
    let good = token().sign();

    let headers = |token: &str| {
        let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header's bytes");
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    };
    let validate = |headers: &HeaderMap| -> Result<Claims, ApiError> {
        let token = bearer::token(headers)?;
        // The keys are at hand, so that nothing is waited for.
        token::validate(&token, &door.issuers, &config, None).now_or_never().expect("an answer at once")
    };

    let (signed, signature) = good.rsplit_once('.').expect("a JWS");
    criterion.bench_function("0 floor: RS256 by aws-lc", |bencher| {
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, door.tenant.key().pkcs1_der()).expect("a key");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        bencher.iter(|| key.verify_sig(black_box(signed.as_bytes()), &signature).expect("a good signature"));
    });
    criterion.bench_function("0 the same by jsonwebtoken", |bencher| {
        let key = DecodingKey::from_rsa_components(&door.tenant.key().n(), "AQAB").expect("a key");
        bencher.iter(|| {
            let verified = crypto::verify(signature, black_box(signed.as_bytes()), &key, Algorithm::RS256);
            assert!(verified.expect("a key that can be used"));
        });
    });
    criterion.bench_function("1 header words", |bencher| {
        let headers = headers(&good);
        bencher.iter(|| bearer::token(black_box(&headers)).is_ok());
    });
    let forged = token().signed_by(&Key::generate("forger")).header("kid", door.tenant.key().kid()).sign();
    for (name, token, refusal) in [
        ("2 and token shape", format!("{good}!"), Some(ApiError::MalformedToken)),
        ("3 and token header", token().without_header("kid").sign(), Some(ApiError::InvalidKid)),
        ("4 and key and signature", forged, Some(ApiError::BadSignature)),
        ("5 and claims", good.clone(), None),
    ] {
        let headers = headers(&token);
        assert_eq!(validate(&headers).err(), refusal, "{name}");
        criterion.bench_function(name, |bencher| bencher.iter(|| validate(black_box(&headers)).is_ok()));
    }
    criterion.bench_function("6 grant alone", |bencher| {
        let (claims, grants) = (validate(&headers(&good)).expect("claims"), config.grants);
        bencher.iter(|| grant::require(black_box(&claims), Grant::AllOf(&["read:messages"]), grants).is_ok());
    });

    let event = event("GET", "/api/private-scoped", &[("authorization", &format!("Bearer {good}"))]).to_string();
    let read = || serde_json::from_str::<Event>(&event).expect("an event");
    let api = Api::new(ROUTES, config, door.issuers.clone(), ());
    criterion.bench_function("7 request to response", |bencher| {
        let mut service = handler::service(Arc::clone(&api));
        bencher.iter_batched(
            || Request::from(serde_json::from_str::<LambdaRequest>(&event).expect("an event")),
            |request| {
                let response = service.call(request).now_or_never();
                assert_eq!(response.expect("an answer at once").expect("no failure").status(), 200);
            },
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("8 event's JSON to answer's JSON", |bencher| {
        let mut service = event::service(handler::service(Arc::clone(&api)));
        bencher.iter(|| {
            let answer = service.call(LambdaEvent::new(read(), Context::default())).now_or_never();
            serde_json::to_vec(&answer.expect("an answer at once").expect("no failure")).expect("JSON")
        });
    });
}

criterion_group!(warm_path, parts);
criterion_main!(warm_path);
