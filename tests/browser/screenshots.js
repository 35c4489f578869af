// The playground under `make start` -> docs/playground-{light,dark}.png, for the README.

import { mkdir, writeFile } from "node:fs/promises";
import UPNG from "upng-js";
import { openPlayground } from "./playground.js";
import { close, end, openBrowser, openStart, ROOT } from "./stage.js";

const [WIDTH, HEIGHT] = [1400, 800];
const COLOURS = 48; // a page like this has few, and the file is a third of the size

const start = await openStart({ FUNCTION_PORT: process.env.FUNCTION_PORT ?? 9000, TENANT_PORT: process.env.TENANT_PORT ?? 9010 });
let browser;
try {
  browser = await openBrowser();
  await mkdir(`${ROOT}docs`, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    const playground = await openPlayground(browser, start, { colorScheme, viewport: { width: WIDTH, height: HEIGHT }, reducedMotion: "reduce" });
    await playground.endpoint("/api/private-scoped");
    await playground.choose("expired");
    await playground.send();
    await playground.page.mouse.move(0, 0);
    const png = UPNG.decode(await playground.page.screenshot());
    const small = Buffer.from(UPNG.encode(UPNG.toRGBA8(png), png.width, png.height, COLOURS));
    await writeFile(`${ROOT}docs/playground-${colorScheme}.png`, small);
    console.log(`docs/playground-${colorScheme}.png: ${Math.round(small.length / 1024)} KB`);
    await close(playground);
  }
} finally {
  await close(browser);
  await end(start.process, "SIGINT");
}
