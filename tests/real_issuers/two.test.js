// Two issuers that people run, and both at once: the settings that README.md gives for each -> what becomes of their tokens.

import { after, before, test } from "node:test";
import {
  ACCEPTED, ANOTHER_AUDIENCE, AUDIENCE, OPAQUE, OUT_OF_SCOPE, PRIVATE, SCOPED, UNKNOWN_KEY, close, decides, wrong,
} from "./function.js";
import { openNanoidp } from "./nanoidp.js";
import { openOidcProvider } from "./oidc_provider.js";

let oidcProvider, nanoidp;

before(async () => {
  [oidcProvider, nanoidp] = await Promise.all([openOidcProvider(), openNanoidp(AUDIENCE)]);
});

after(() => close(oidcProvider, nanoidp));

test("oidc-provider", async () => {
  const { issuer, toMachine, toPage } = oidcProvider;
  const scope = "openid offline_access read:messages";
  const page = await toPage({ resource: AUDIENCE, scope, nonce: "n" });
  const withoutNonce = await toPage({ resource: AUDIENCE, scope });
  const forUserinfo = await toPage({ scope });
  const machine = await toMachine({ resource: AUDIENCE });
  const another = await toMachine({ resource: ANOTHER_AUDIENCE, scope: "read:messages" });
  await decides({ ISSUERS: issuer }, [
    [page.access_token, PRIVATE, ACCEPTED, "a user's access token"],
    [page.access_token, SCOPED, ACCEPTED, "with its scope"],
    [machine.access_token, PRIVATE, ACCEPTED, "a machine's access token"],
    [machine.access_token, SCOPED, OUT_OF_SCOPE, "without the scope"],
    [another.access_token, PRIVATE, wrong("wrong_audience"), "for another audience"],
    [page.id_token, PRIVATE, wrong("not_an_access_token"), "an ID token"],
    [withoutNonce.id_token, PRIVATE, wrong("wrong_audience"), "an ID token without a nonce: it is for the client"],
    [page.refresh_token, PRIVATE, OPAQUE, "a refresh token"],
    [forUserinfo.access_token, PRIVATE, OPAQUE, "an access token for no resource"],
  ]);
});

test("oidc-provider, an issuer with a path", async () => {
  const withPath = await openOidcProvider("/tenants/main");
  try {
    const page = await withPath.toPage({ resource: AUDIENCE, scope: "openid read:messages" });
    await decides({ ISSUERS: withPath.issuer }, [[page.access_token, SCOPED, ACCEPTED, "its metadata stand behind the path"]]);
  } finally {
    await withPath.close();
  }
});

test("oidc-provider, an issuer with a slash at its end", async () => {
  const withSlash = await openOidcProvider("/");
  try {
    const { access_token } = await withSlash.toMachine({ resource: AUDIENCE });
    await decides({ ISSUERS: withSlash.issuer }, [[access_token, PRIVATE, ACCEPTED, "as its tokens have it"]]);
    await decides({ ISSUERS: withSlash.issuer.slice(0, -1) }, [[access_token, PRIVATE, UNKNOWN_KEY, "without its slash"]], ["another_issuer"]);
  } finally {
    await withSlash.close();
  }
});

test("nanoidp", async () => {
  const { issuer, toMachine, toPage } = nanoidp;
  const page = await toPage({ scope: "openid offline_access read:messages", nonce: "n" });
  const machine = await toMachine({});
  const scoped = await toMachine({ scope: "read:messages" });
  const another = await toMachine({ resource: ANOTHER_AUDIENCE });
  await decides({ ISSUERS: issuer }, [
    [page.access_token, PRIVATE, ACCEPTED, "a user's access token"],
    [page.access_token, SCOPED, ACCEPTED, "with its scope"],
    [scoped.access_token, SCOPED, ACCEPTED, "a machine's access token"],
    [machine.access_token, SCOPED, OUT_OF_SCOPE, "without the scope"],
    [another.access_token, PRIVATE, wrong("wrong_audience"), "for another audience"],
    [page.id_token, PRIVATE, wrong("not_an_access_token"), "an ID token"],
    [page.refresh_token, PRIVATE, wrong("not_an_access_token"), "a refresh token, of the same key and audience"],
  ]);
  // Its own settings may have the slash, its metadata and tokens do not.
  await decides({ ISSUERS: `${issuer}/` }, [[page.access_token, PRIVATE, UNKNOWN_KEY, "with the slash that it cuts off"]], ["another_issuer"]);
});

test("both are trusted at once", async () => {
  const stranger = await openOidcProvider();
  try {
    const resource = AUDIENCE;
    const [one, other] = [await oidcProvider.toMachine({ resource, scope: "read:messages" }), await nanoidp.toMachine({ scope: "read:messages" })];
    const foreign = await stranger.toMachine({ resource });
    const forAnother = [await oidcProvider.toMachine({ resource: ANOTHER_AUDIENCE }), await nanoidp.toMachine({ resource: ANOTHER_AUDIENCE })];
    const forged = oidcProvider.signed({ iss: nanoidp.issuer, aud: AUDIENCE, sub: "ada", exp: Math.floor(Date.now() / 1000) + 60 });
    const ISSUERS = `${oidcProvider.issuer},${nanoidp.issuer}`;
    await decides({ ISSUERS }, [
      [one.access_token, SCOPED, ACCEPTED, "one"],
      [other.access_token, SCOPED, ACCEPTED, "the other"],
      [foreign.access_token, PRIVATE, wrong("wrong_issuer"), "a third"],
      [forged, PRIVATE, UNKNOWN_KEY, "one's key, in the name of the other"],
      [forAnother[0].access_token, PRIVATE, wrong("wrong_audience"), "one, for another audience"],
      [forAnother[1].access_token, PRIVATE, wrong("wrong_audience"), "the other, for another audience"],
    ]);
    await decides({ ISSUERS, API_AUDIENCE: `${AUDIENCE},${ANOTHER_AUDIENCE}` }, [
      [one.access_token, PRIVATE, ACCEPTED, "one, for the first audience"],
      [forAnother[0].access_token, PRIVATE, ACCEPTED, "one, for the second"],
      [other.access_token, PRIVATE, ACCEPTED, "the other, for the first"],
      [forAnother[1].access_token, PRIVATE, ACCEPTED, "the other, for the second"],
    ]);
  } finally {
    await stranger.close();
  }
});
