// An issuer's endpoints -> tokens, by the requests that its clients make. A user's browser is a part of it: cookies, redirects, and
// forms that are filled in.

import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";

/** Where the page that asks for tokens lives. Nobody listens there: the code is read from the redirect. */
export const CALLBACK = "http://127.0.0.1/callback";

/** What the token endpoint answers. `secret` makes a confidential client of the one that is named. */
export async function tokens(endpoint, form, { client, secret, ca } = {}) {
  const credentials = secret && `Basic ${Buffer.from(`${client}:${secret}`).toString("base64")}`;
  const answer = await send(endpoint, { form, ca, headers: credentials ? { Authorization: credentials } : {} });
  if (answer.status !== 200) throw new Error(`${endpoint} answers ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body);
}

/** The authorization code grant with PKCE, as a page in a browser goes through it. `login` fills in what a user is asked for. */
export async function codeGrant({ authorize, token, ca }, parameters, login, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const url = new URL(authorize);
  url.search = new URLSearchParams({
    response_type: "code", redirect_uri: CALLBACK, state: randomBytes(8).toString("hex"),
    code_challenge: challenge, code_challenge_method: "S256", ...parameters,
  });
  const code = await visit(url.href, login, ca);
  const form = { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: CALLBACK };
  return tokens(token, { ...form, client_id: parameters.client_id, ...more }, { ca });
}

// From page to page, until the issuer sends the browser back.
async function visit(url, login, ca) {
  const cookies = new Map();
  let next = { url };
  for (let pages = 0; pages < 10; pages += 1) {
    const answer = await send(next.url, { ...next, ca, cookies });
    if (answer.location?.startsWith(CALLBACK)) return codeOf(answer.location);
    if (answer.location) next = { url: answer.location };
    else if (answer.status === 200) next = (login.page ?? filled)(answer, login.fields);
    else throw new Error(`${next.url} answers ${answer.status}: ${answer.body}`);
  }
  throw new Error(`${url} asks for ever more`);
}

function codeOf(location) {
  const { searchParams } = new URL(location);
  if (!searchParams.has("code")) throw new Error(`no code: ${location}`);
  return searchParams.get("code");
}

/** The first form of a page, with its hidden fields and what a user adds. */
export function filled({ url, body }, fields) {
  const [form, attributes] = body.match(/<form([^>]*)>.*?<\/form>/is) ?? [];
  if (!form) throw new Error(`${url} has no form: ${body}`);
  const hidden = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/gis)].map(([input]) => [attribute(input, "name"), attribute(input, "value")]);
  return { url: new URL(attribute(attributes, "action") ?? "", url).href, form: { ...Object.fromEntries(hidden), ...fields } };
}

function attribute(tag, name) {
  const value = tag.match(new RegExp(`\\s${name}="([^"]*)"`, "is"))?.[1];
  const entities = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };
  return value?.replace(/&(\w+);/g, (entity, word) => entities[word] ?? entity);
}

// A GET, or a POST where there is a form. No redirect is followed.
function send(url, { form, headers = {}, cookies = new Map(), ca }) {
  const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
  const body = form && new URLSearchParams(form).toString();
  return new Promise((resolve, reject) => {
    const request = (url.startsWith("https:") ? https : http).request(url, {
      ca, agent: false, method: form ? "POST" : "GET",
      headers: { ...headers, ...(cookie && { cookie }), ...(form && { "content-type": "application/x-www-form-urlencoded" }) },
    }, async (answer) => {
      for (const line of answer.headers["set-cookie"] ?? []) {
        const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
        cookies.set(name, value);
      }
      const { location } = answer.headers;
      let text = "";
      for await (const part of answer.setEncoding("utf8")) text += part;
      resolve({ url, status: answer.statusCode, location: location && new URL(location, url).href, body: text });
    });
    request.on("error", reject).end(body);
  });
}
