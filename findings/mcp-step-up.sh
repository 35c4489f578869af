#!/usr/bin/env bash
# npm @modelcontextprotocol/sdk 1.32.2: a client that holds a refresh token never asks its user for the scope that a 403 with
# `insufficient_scope` names. It refreshes instead, and sends no `scope` with that, so that the new token has the old scope
# (a refresh cannot widen it anyway: RFC 6749, section 6). It meets the 403 again, and gives up. A client without a refresh
# token goes to its user at once, for the scope of the challenge.
# Why it matters: for MCP clients, name all scopes in the challenge of the first 401. After a login it is too late.
#
# Seen, for a challenge of `scope="read write"`, each line all that the client does:
#   without a refresh token    asks the user for "read write"
#   with a refresh token       refreshes with scope null; StreamableHTTPError: Streamable HTTP error: Server returned 403 after trying upscoping
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2
cat >step-up.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

let origin, done;
const metadata = '/.well-known/oauth-protected-resource';

// The API, and the authorization server that it names, in one.
const server = createServer(async (request, response) => {
  const body = await text(request);
  const answer = (status, members, headers = {}) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(members));
  switch (request.url) {
    case metadata:
      return answer(200, { resource: origin, authorization_servers: [origin] });
    case '/.well-known/oauth-authorization-server':
      return answer(200, {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      });
    case '/token':
      done.push(`refreshes with scope ${new URLSearchParams(body).get('scope')}`);
      return answer(200, { access_token: 'second', token_type: 'Bearer', expires_in: 600, scope: 'read' });
    case '/mcp': {
      const challenge = `Bearer error="insufficient_scope", scope="read write", resource_metadata="${origin}${metadata}"`;
      return answer(403, {}, { 'WWW-Authenticate': challenge });
    }
    default:
      return answer(404, {});
  }
}).listen(0, '127.0.0.1');
await once(server, 'listening');
origin = `http://127.0.0.1:${server.address().port}`;

async function meets403(name, tokens) {
  done = [];
  const authProvider = {
    redirectUrl: 'http://127.0.0.1/callback',
    clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
    clientInformation: () => ({ client_id: 'client', issuer: origin }),
    tokens: () => tokens,
    saveTokens: (saved) => (tokens = saved),
    saveCodeVerifier: () => {},
    codeVerifier: () => 'verifier',
    redirectToAuthorization: (url) => done.push(`asks the user for "${url.searchParams.get('scope')}"`),
  };
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', origin), { authProvider });
  const client = new Client({ name: 'client', version: '0' });
  await client.connect(transport).catch((error) => {
    if (error.constructor.name !== 'UnauthorizedError') done.push(`${error.constructor.name}: ${error.message}`);
  });
  console.log(name.padEnd(26), done.join('; '));
  return done;
}

try {
  const token = { access_token: 'first', token_type: 'Bearer', scope: 'read', issuer: origin };
  assert.deepEqual(await meets403('without a refresh token', token), ['asks the user for "read write"']);
  const seen = await meets403('with a refresh token', { ...token, refresh_token: 'refresh' });
  assert.equal(seen.length, 2);
  assert.equal(seen[0], 'refreshes with scope null');
  assert.match(seen[1], /^StreamableHTTPError: .* 403 /);
} finally {
  server.close();
}
JAVASCRIPT
node step-up.mjs || { echo "Changed: the client with a refresh token does something else." >&2; exit 1; }
