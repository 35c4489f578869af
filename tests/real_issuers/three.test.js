// Three more issuers, which people test with: the settings that README.md gives for each -> what becomes of their tokens.

import { test } from "node:test";
import { openAuth0Simulator } from "./auth0_simulator.js";
import { ACCEPTED, ANOTHER_AUDIENCE, AUDIENCE, OPAQUE, OUT_OF_SCOPE, PRIVATE, SCOPED, decides, wrong } from "./function.js";
import { openOauth2MockServer } from "./oauth2_mock_server.js";
import { openOidcMockProvider } from "./oidc_mock_provider.js";

test("auth0-simulator", async (t) => {
  const { domain, certificate, toMachine, toPage, close } = await openAuth0Simulator(AUDIENCE);
  t.after(close);
  const page = await toPage({ scope: "openid", nonce: "n" });
  const machine = await toMachine({});
  const another = await toMachine({ audience: ANOTHER_AUDIENCE });
  await decides({ AUTH0_DOMAIN: domain, SSL_CERT_FILE: certificate }, [
    [page.access_token, PRIVATE, ACCEPTED, "a user's access token"],
    [page.access_token, SCOPED, ACCEPTED, "with its scope"],
    [machine.access_token, PRIVATE, ACCEPTED, "a machine's access token"],
    [machine.access_token, SCOPED, OUT_OF_SCOPE, "without the scope"],
    [another.access_token, PRIVATE, wrong("wrong_audience"), "for another audience"],
    [page.id_token, PRIVATE, wrong("not_an_access_token"), "an ID token"],
    [page.refresh_token, PRIVATE, OPAQUE, "a refresh token"],
  ]);
});

test("oauth2-mock-server", async (t) => {
  const { issuer, toMachine, toPage, setAudience, close } = await openOauth2MockServer();
  t.after(close);
  const scope = "read:messages";
  const machine = await toMachine({ aud: AUDIENCE });
  const scoped = await toMachine({ aud: AUDIENCE, scope });
  const another = await toMachine({ aud: ANOTHER_AUDIENCE, scope });
  const forNobody = await toPage({ scope });
  setAudience(AUDIENCE);
  const page = await toPage({ scope, nonce: "n" });
  await decides({ ISSUERS: issuer }, [
    [machine.access_token, PRIVATE, ACCEPTED, "a machine's access token"],
    [machine.access_token, SCOPED, OUT_OF_SCOPE, "without the scope"],
    [scoped.access_token, SCOPED, ACCEPTED, "with its scope"],
    [another.access_token, PRIVATE, wrong("wrong_audience"), "for another audience"],
    [forNobody.access_token, PRIVATE, wrong("missing_claim"), "a user's access token, which has no audience by default"],
    [page.access_token, SCOPED, ACCEPTED, "one with an audience"],
    [page.id_token, PRIVATE, wrong("not_an_access_token"), "an ID token"],
    [page.refresh_token, PRIVATE, OPAQUE, "a refresh token"],
  ]);
});

test("oidc-mock-provider", async (t) => {
  let claims = { aud: AUDIENCE };
  const { issuer, toDevice, toPage, close } = await openOidcMockProvider(() => claims);
  t.after(close);
  const scope = "read:messages";
  const page = await toPage({ scope });
  const device = await toDevice({ scope: "openid" });
  const withNonce = await toPage({ scope, nonce: "n" });
  claims = { aud: AUDIENCE, typ: "Bearer" };
  const bearer = await toPage({ scope, nonce: "n" });
  claims = { aud: ANOTHER_AUDIENCE };
  const another = await toPage({ scope });
  await decides({ ISSUERS: issuer }, [
    [page.access_token, PRIVATE, ACCEPTED, "a user's access token"],
    [page.access_token, SCOPED, ACCEPTED, "with its scope"],
    [device.access_token, PRIVATE, ACCEPTED, "a device's access token"],
    [device.access_token, SCOPED, OUT_OF_SCOPE, "without the scope"],
    [another.access_token, PRIVATE, wrong("wrong_audience"), "for another audience"],
    [withNonce.access_token, PRIVATE, wrong("not_an_access_token"), "an access token with the nonce, as ID tokens have it"],
    [bearer.access_token, PRIVATE, ACCEPTED, "one that says what it is"],
    [page.id_token, PRIVATE, wrong("wrong_audience"), "an ID token: it is for the client"],
    [withNonce.id_token, PRIVATE, wrong("not_an_access_token"), "an ID token with a nonce"],
    [page.refresh_token, PRIVATE, OPAQUE, "a refresh token"],
  ]);
});
