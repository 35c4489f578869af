// A strict client of OAuth, by the book: RFC 9728 from the challenge to the document, RFC 8414, a code with PKCE.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";
import { claims, withStage } from "./stage.js";
import { CALLBACK, visit } from "./user.js";

const loopback = { [oauth.allowInsecureRequests]: true };

test("oauth4webapi: a token with exactly the scope that the route wants", (t) => withStage(t, "api-authorization", "", {}, async (stage) => {
  const url = new URL("/api/private-scoped", stage.url);
  const { parameters } = await challenge(url, "x");
  assert.equal(parameters.error, "invalid_token");
  const { authorized } = await discover(new URL(stage.resource), parameters.resource_metadata);
  const token = await authorized(parameters.scope);
  assert.deepEqual(stage.asked, [{ scope: "read:messages", resource: [stage.resource] }]);
  assert.deepEqual([claims(token).scope, claims(token).aud], ["read:messages", stage.resource]);
  assert.equal((await oauth.protectedResourceRequest(token, "GET", url, undefined, undefined, loopback)).status, 200);
}));

test("oauth4webapi: the step up from a token without the scope", (t) => withStage(t, "api-authorization", "", {}, async (stage) => {
  const [open, scoped] = ["/api/private", "/api/private-scoped"].map((path) => new URL(path, stage.url));
  const { parameters } = await challenge(open, "x");
  assert.equal(parameters.scope, undefined);
  const { authorized } = await discover(new URL(stage.resource), parameters.resource_metadata);
  const first = await authorized();
  assert.equal((await oauth.protectedResourceRequest(first, "GET", open, undefined, undefined, loopback)).status, 200);

  const refusal = await challenge(scoped, first);
  assert.deepEqual([refusal.status, refusal.parameters.error], [403, "insufficient_scope"]);
  const second = await authorized(refusal.parameters.scope);
  assert.equal(claims(second).scope, "read:messages");
  assert.equal((await oauth.protectedResourceRequest(second, "GET", scoped, undefined, undefined, loopback)).status, 200);
}));

/** Section 3.3 by the letter: the document of the very URL that is called names that URL. */
test("oauth4webapi: each route has a document of its own", (t) => withStage(t, "api-authorization", "", {}, async (stage) => {
  for (const path of ["", "/api/public", "/api/private", "/api/private-scoped"]) {
    const { document } = await discover(new URL(path, stage.url));
    assert.equal(document.resource, `${stage.url}${path}`);
    assert.deepEqual(document.scopes_supported, ["read:messages"]);
  }
}));

/** The refusal of a request with this token. */
async function challenge(url, token) {
  const error = await oauth.protectedResourceRequest(token, "GET", url, undefined, undefined, loopback).then(
    ({ status }) => assert.fail(`${url} answered ${status}`), (error) => error);
  assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
  assert.equal(error.cause.length, 1);
  return { status: error.status, parameters: error.cause[0].parameters };
}

/** The document of a resource, where a challenge says that it is or else where section 3.1 puts it; and who gives tokens for it. */
async function discover(resource, address) {
  const response = address ? await fetch(address) : await oauth.resourceDiscoveryRequest(resource, loopback);
  const document = await oauth.processResourceDiscoveryResponse(resource, response);
  const issuer = new URL(document.authorization_servers[0]);
  const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...loopback });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  const metadata = { redirect_uris: [CALLBACK], token_endpoint_auth_method: "none" };
  const registered = await oauth.dynamicClientRegistrationRequest(server, metadata, loopback);
  const client = await oauth.processDynamicClientRegistrationResponse(registered);

  const authorized = async (scope) => {
    const verifier = oauth.generateRandomCodeVerifier();
    const parameters = {
      client_id: client.client_id, redirect_uri: CALLBACK, response_type: "code", resource: document.resource,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...scope && { scope },
    };
    const back = await visit(`${server.authorization_endpoint}?${new URLSearchParams(parameters)}`);
    const answer = oauth.validateAuthResponse(server, client, back);
    const request = { additionalParameters: { resource: document.resource }, ...loopback };
    const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, CALLBACK, verifier, request);
    return (await oauth.processAuthorizationCodeResponse(server, client, response)).access_token;
  };
  return { document, authorized };
}
