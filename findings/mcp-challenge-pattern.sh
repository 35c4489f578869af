#!/usr/bin/env bash
# npm @modelcontextprotocol/sdk 1.32.2: its clients search the whole WWW-Authenticate header for `scope=`, and do not read it
# as the list of challenges that it is (RFC 9110, section 11.6.1). So they take a scope out of another parameter's string,
# and see nothing where another scheme comes before Bearer.
# Why it matters: an API that offers DPoP and Bearer, or that explains itself in error_description, gets clients that ask for
# a wrong scope, or never find the resource's metadata. Put Bearer first, and no `=` into a description.
#
# Seen:
#   Bearer scope="read:messages"                                                 {"scope":"read:messages"}
#   Bearer error_description="needs scope=read:messages", scope="read:all"       {"scope":"read:messages\""}
#   DPoP algs="ES256", Bearer scope="read:messages"                              {}
# openid-client 6's parser, oauth4webapi 3.8.8, reads all three.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2 oauth4webapi@3.8.8
cat >challenges.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import * as oauth from 'oauth4webapi';

const server = createServer((request, response) => {
  response.writeHead(401, { 'WWW-Authenticate': decodeURIComponent(request.url.slice(1)) }).end();
}).listen(0, '127.0.0.1');
await once(server, 'listening');

async function read(challenge) {
  const url = new URL(`http://127.0.0.1:${server.address().port}/${encodeURIComponent(challenge)}`);
  const bySdk = JSON.stringify(extractWWWAuthenticateParams(await fetch(url)));
  const byPeer = await oauth
    .protectedResourceRequest('token', 'GET', url, undefined, undefined, { [oauth.allowInsecureRequests]: true })
    .catch((error) => error.cause.find(({ scheme }) => scheme === 'bearer').parameters.scope);
  console.log(`${challenge.padEnd(76)} ${bySdk.padEnd(30)} (oauth4webapi: ${byPeer})`);
  return [bySdk, byPeer];
}

try {
  assert.deepEqual(await read('Bearer scope="read:messages"'), ['{"scope":"read:messages"}', 'read:messages']);
  const described = 'Bearer error_description="needs scope=read:messages", scope="read:all"';
  assert.deepEqual(await read(described), ['{"scope":"read:messages\\""}', 'read:all']);
  assert.deepEqual(await read('DPoP algs="ES256", Bearer scope="read:messages"'), ['{}', 'read:messages']);
} finally {
  server.close();
}
JAVASCRIPT
node challenges.mjs || { echo "Changed: these challenges are read in another way." >&2; exit 1; }
