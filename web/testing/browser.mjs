// A headless Chromium, driven through the DevTools protocol over a pipe: no packages, no ports.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

/// Serves a folder on this machine alone; answers with its address and a way to stop.
export async function serve(folder) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    requests.push({ method: request.method, path });
    const file = join(folder, normalize(path === "/" ? "index.html" : path));
    try {
      const bytes = await readFile(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}/`, requests, stop: () => server.close() };
}

/// WebGPU on SwiftShader, which Chromium brings along, so that the test needs no GPU.
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

export class Browser {
  #process;
  #profile;
  #next = 1;
  #waiting = new Map();
  #listeners = new Set();

  static async launch(flags = WEBGPU) {
    const browser = new Browser();
    browser.#profile = await mkdtemp(join(tmpdir(), "awl-web-"));
    const always = ["--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run", "--hide-scrollbars"];
    const profile = `--user-data-dir=${browser.#profile}`;
    const program = process.env.CHROMIUM ?? "chromium";
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    browser.#process = spawn(program, [...always, ...flags, profile, "about:blank"], { stdio });
    browser.#process.on("error", (error) => {
      console.error(`web/test: ${program}: ${error.message}: install chromium, or name one in CHROMIUM`);
      process.exit(1);
    });
    let text = "";
    browser.#process.stdio[4].setEncoding("utf8").on("data", (some) => {
      const messages = (text + some).split("\0");
      text = messages.pop();
      messages.forEach((message) => browser.#hear(JSON.parse(message)));
    });
    return browser;
  }

  #hear(message) {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return this.#listeners.forEach((listener) => listener(message));
    this.#waiting.delete(message.id);
    message.error ? waiting.reject(new Error(message.error.message)) : waiting.resolve(message.result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  listen(listener) {
    this.#listeners.add(listener);
  }

  async page() {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await page.begin();
    return page;
  }

  async close() {
    const gone = new Promise((resolve) => this.#process.on("exit", resolve));
    this.send("Browser.close").catch(() => {});
    await gone;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/// A tab. Whatever it complains of is kept in `complaints`.
export class Page {
  complaints = [];
  #browser;
  #session;

  constructor(browser, session) {
    [this.#browser, this.#session] = [browser, session];
    browser.listen(({ sessionId, method, params }) => {
      if (sessionId !== session) return;
      if (method === "Runtime.exceptionThrown") this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === "Log.entryAdded" && params.entry.level === "error") this.complaints.push(params.entry.text);
      if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) {
        this.complaints.push(params.args.map((arg) => arg.value ?? arg.description).join(" "));
      }
    });
  }

  send(method, params) {
    return this.#browser.send(method, params, this.#session);
  }

  async begin() {
    for (const domain of ["Page", "Runtime", "Log", "DOM", "Accessibility"]) await this.send(`${domain}.enable`);
  }

  /// A screen of this many CSS pixels.
  size(width, height, { mobile = false, scale = 1 } = {}) {
    return this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: scale, mobile });
  }

  prefer(name, value) {
    return this.send("Emulation.setEmulatedMedia", { features: [{ name, value }] });
  }

  async open(address) {
    await this.send("Page.navigate", { url: address });
  }

  /// What an expression, or an async function's body, comes to in the page.
  async evaluate(expression) {
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
    return answer.result.value;
  }

  /// Waits until an expression is true.
  async until(expression, seconds = 60) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
      if (await this.evaluate(expression).catch(() => false)) return;
      if (Date.now() > end) {
        const text = await this.evaluate("document.body.innerText");
        throw new Error(`after ${seconds} s this is not so: ${expression}\ncomplaints: ${this.complaints.join("\n")}\nthe page: ${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /// A picture, of the whole page if `whole`.
  async picture(whole = false) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole });
    return Buffer.from(data, "base64");
  }

  /// Every control with its role, and the name that a screen reader has for it.
  async controls() {
    const { nodes } = await this.send("Accessibility.getFullAXTree");
    const roles = ["button", "combobox", "slider", "radio", "checkbox", "textbox", "spinbutton", "img", "image", "DisclosureTriangle"];
    const seen = nodes.filter((node) => !node.ignored && roles.includes(node.role?.value));
    return seen.map((node) => ({ role: node.role.value, name: node.name?.value ?? "" }));
  }
}
