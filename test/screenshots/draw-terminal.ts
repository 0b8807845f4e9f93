/** Draws what a terminal was sent, by xterm.js in Chromium, as one picture: the screen as it looks in the end. */
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { COLUMNS, ROWS } from "./type-in-terminal.ts";

const SCRIPT = fileURLToPath(import.meta.resolve("@xterm/xterm/lib/xterm.js"));
const STYLE = fileURLToPath(import.meta.resolve("@xterm/xterm/css/xterm.css"));

/** Reads well beside light and dark text: a dark window with a border, and nothing around its corners. */
const PAGE = `<!doctype html>
<style>
  body { margin: 0 }
  #window { display: inline-block; padding: 14px 18px; background: #161b22; border: 1px solid #3d444d; border-radius: 10px }
  #screen { overflow: hidden }
  .xterm .xterm-scrollable-element > .scrollbar { display: none }
  .xterm .xterm-rows > div { overflow: visible !important } /* so that the lines of tables meet */
</style>
<div id="window"><div id="screen"></div></div>`;

/** In the page: writes, waits until it is drawn, and cuts the empty rows off. */
const SHOW = `async (text) => {
  const terminal = new Terminal({
    cols: ${COLUMNS}, rows: ${ROWS}, convertEol: true, drawBoldTextInBrightColors: false, cursorInactiveStyle: "none",
    fontFamily: "DejaVu Sans Mono, Menlo, Consolas, monospace", fontSize: 14, fontWeightBold: "bold",
    theme: {
      background: "#161b22", foreground: "#e6edf3", green: "#3fb950", yellow: "#d29922", red: "#ff7b72", cyan: "#39c5cf",
    },
  });
  const screen = document.querySelector("#screen");
  terminal.open(screen);
  await new Promise((done) => terminal.write(text, done));
  const { active } = terminal.buffer;
  let used = terminal.rows;
  while (used > 1 && active.getLine(active.baseY + used - 1).translateToString(true) === "") used -= 1;
  const row = screen.querySelector(".xterm-rows > div").getBoundingClientRect().height;
  screen.style.height = used * row + "px";
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return active.baseY;
}`;

/** Twice as sharp as its size says. Rejects when something scrolled out at the top. */
export const drawTerminal = async (browser: Browser, sent: string, file: string): Promise<void> => {
  const page = await browser.newPage({ deviceScaleFactor: 2, viewport: { width: 1_280, height: 1_280 } });
  try {
    await page.setContent(PAGE);
    await page.addStyleTag({ path: STYLE });
    await page.addScriptTag({ path: SCRIPT });
    const scrolledRows = await page.evaluate<number>(`(${SHOW})(${JSON.stringify(sent)})`);
    if (scrolledRows > 0) throw new Error(`${file}: ${scrolledRows} rows more than the ${ROWS} of the terminal.`);
    await page.locator("#window").screenshot({ path: file, omitBackground: true });
  } finally {
    await page.close();
  }
};
