// The address of an authorization request -> the address that the user's browser comes back to the client with.

/** Where clients ask to be called back. Nothing listens there: this browser stops before. */
export const CALLBACK = "http://127.0.0.1:1/callback";

export async function visit(address) {
  const cookies = new Map();
  let url = new URL(address);
  while (!url.href.startsWith(CALLBACK)) {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (!location) throw new Error(`${url.pathname} answered ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
  }
  return url;
}
