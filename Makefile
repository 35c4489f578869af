# Each target is one line here; the work is in scripts/.

# What can be set behind `make`. A misspelled setting must not be ignored: EXPECTED_CLAIM=… would let in whom it should keep out.
settings = ALARM_TOPIC_ARN ALLOWED_HEADERS ALLOWED_ORIGINS ANONYMOUS_SESSIONS API_AUDIENCE ARCH AUTH0_AUDIENCE AUTH0_DOMAIN \
	BASE_PATH BROWSER_TESTS CARGO_TARGET_DIR CHROMIUM CLIENT_TESTS EVENT EXAMPLE_TESTS EXPECTED_CLAIMS FILE FUNCTION_PORT \
	GRANTS ISSUER_TESTS ISSUERS JWKS_URI KEEP LOG_LEVEL LOG_RETENTION_DAYS ONLY PINNED_JWKS REFUSALS_ALARM RESERVED_CONCURRENCY \
	RESOURCE_URL RESPONSE_FORMAT ROUNDS ROUTE_SCOPES SECONDS_EACH SOAK_SECONDS SSL_CERT_FILE STACK TARGET TENANT_PORT \
	THROTTLING_BURST THROTTLING_RATE TOKEN TRACING
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
unknown := $(filter-out $(settings) MAKE%,$(given))
$(if $(unknown),$(error This has no setting of that name: $(unknown). If it is one of yours, add it to `settings` in the Makefile))

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

start: ## Runs the function here, for a stand-in tenant or your own (AUTH0_DOMAIN=… API_AUDIENCE=…)
	@scripts/start

test: ## Runs all checks and tests
	@scripts/test

issuers: ## The tokens of five issuers that people run, to the function (with Node.js and npm)
	@ISSUER_TESTS=all scripts/issuers

soak: ## Sandboxes that freeze; ten minutes of rotations, faults and junk (SOAK_SECONDS=600)
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} cargo test --locked --test freeze --test soak -- --nocapture

fleet: ## A hundred processes, one tenant that grants 20 fetches a second: who is answered 503 (two minutes)
	@cargo test --locked --test fleet -- --nocapture

fuzz: ## Ten minutes of random inputs for each fuzz target (with nightly Rust)
	@scripts/fuzz

mutants: ## Changes the sources in small ways: a test must notice each change (many hours; FILE=src/token.rs for one file)
	@scripts/mutants

differential: ## 10,000 mutated tokens to the function and to PyJWT: every difference has its rule
	@scripts/differential

advisories: ## Asks RustSec for advisories about the crates that are compiled in (with a network)
	@scripts/advisories

screenshots: ## Renews the pictures of the playground in docs/ (with Chromium, Node.js and npm)
	@scripts/browser screenshots

routes: ## Prints the lines of template.yaml that follow from the table of routes
	@cargo run --quiet --locked -- routes

invoke: ## Hands an event file to the function under `make start` (EVENT=private TOKEN=…)
	@scripts/invoke

bench: ## Measures the function beside what one would use in its place (ROUNDS=20)
	@scripts/bench

build: ## Builds the function for Lambda, as a zip (ARCH=arm64 or x86_64)
	@scripts/build

deploy: ## Builds and deploys template.yaml with the SAM CLI (AUTH0_DOMAIN=… API_AUDIENCE=…)
	@scripts/deploy

deploy-authorizer: ## The same for authorizer.yaml, the Lambda authorizer (AUTH0_DOMAIN=… API_AUDIENCE=… ROUTE_SCOPES=…)
	@scripts/deploy-authorizer

keys: ## Prints the issuers' signing keys for PINNED_JWKS (AUTH0_DOMAIN=… or ISSUERS=…)
	@scripts/keys

logs: ## Follows the logs of what was deployed (STACK=api-authorization)
	@scripts/logs

clean: ## Removes all that was built or installed here
	rm -rf target .venv .aws-sam tests/browser/node_modules tests/clients/node_modules tests/clients/.venv \
		tests/real_issuers/node_modules tests/real_issuers/.venv tests/second_gateway/node_modules bench/target \
		bench/node/node_modules bench/node/dist examples/mcp/target examples/mcp/.aws-sam \
		examples/messages/target examples/messages/.aws-sam examples/messages/tests/node_modules

.PHONY: help start test issuers clients soak fleet fuzz mutants differential advisories screenshots routes invoke bench build deploy deploy-authorizer keys logs clean
