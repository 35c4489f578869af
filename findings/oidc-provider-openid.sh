#!/usr/bin/env bash
# npm oidc-provider 9.13.3 (certified; people run it as a stand-in for a tenant): the scope `openid` decides whether an
# access token is for the API. A client that asks for `resource` at the authorization endpoint alone gets a JWT for that API
# without `openid`, and an opaque token for the userinfo endpoint with it. The API's scope is then gone from the answer, too.
# Both are tokens for the API if the client names `resource` at the token endpoint once more (RFC 8707, section 2.2, makes that
# optional), or if the server sets features.resourceIndicators.useGrantedResource.
# Why it matters: clients that log somebody in send `openid`; then the API refuses an opaque token. Auth0's `audience`, by
# contrast, is sent once.
#
# Seen, the authorization request always with resource=https://api.example:
#   scope "read:messages"                                    JWT for https://api.example, scope "read:messages"
#   scope "openid read:messages"                             opaque, scope "openid"
#   scope "openid read:messages", resource sent again        JWT for https://api.example, scope "read:messages"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund oidc-provider@9.13.3
cat >log-in.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

console.info = console.warn = () => {}; // notices about what a server in production should set
const { Provider } = await import('oidc-provider');
const resource = 'https://api.example';
const client = { client_id: 'client', redirect_uri: 'http://127.0.0.1/callback' };
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
const jwtFor = { audience: resource, scope: 'read:messages', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client.client_id,
      redirect_uris: [client.redirect_uri],
      application_type: 'native',
      token_endpoint_auth_method: 'none',
    },
  ],
  features: { resourceIndicators: { enabled: true, getResourceServerInfo: () => jwtFor } },
});
server.on('request', provider.callback());

// Logs in as a browser would, with the pages that the library has for development.
async function code(parameters) {
  const cookies = new Map();
  const go = async (url, form) => {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const method = form ? 'POST' : 'GET';
    const response = await fetch(new URL(url, issuer), { method, body: form, redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [name, value] = set.split(';')[0].split('=');
      cookies.set(name, value);
    }
    return response;
  };
  let response = await go(`/auth?${new URLSearchParams(parameters)}`);
  for (;;) {
    const next = response.headers.get('location');
    if (next.startsWith(client.redirect_uri)) return new URL(next).searchParams.get('code');
    response = await go(next);
    if (response.status !== 200) continue;
    const prompt = /name="prompt" value="(\w+)"/.exec(await response.text())[1];
    response = await go(next, new URLSearchParams({ prompt, login: 'user', password: 'any' }));
  }
}

async function accessToken(scope, again) {
  const code_verifier = randomBytes(32).toString('base64url');
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
  const asked = { ...client, response_type: 'code', scope, resource, code_challenge, code_challenge_method: 'S256' };
  const exchange = { ...client, grant_type: 'authorization_code', code: await code(asked), code_verifier, ...again };
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(exchange) });
  const { access_token, scope: granted } = await answer.json();
  const [, payload] = access_token.split('.');
  const kind = payload ? `JWT for ${JSON.parse(Buffer.from(payload, 'base64url')).aud}` : 'opaque';
  const seen = `${kind}, scope "${granted}"`;
  console.log(`scope "${scope}"${again ? ', resource sent again' : ''}`.padEnd(56), seen);
  return seen;
}

try {
  const forApi = 'JWT for https://api.example, scope "read:messages"';
  assert.equal(await accessToken('read:messages'), forApi);
  assert.equal(await accessToken('openid read:messages'), 'opaque, scope "openid"');
  assert.equal(await accessToken('openid read:messages', { resource }), forApi);
} finally {
  server.close();
}
JAVASCRIPT
node log-in.mjs 2>&1 || { echo "Changed: openid no longer decides what the access token is for." >&2; exit 1; }
