// The page, end to end: its numbers against the native engine's, then everything that a visitor does with it.
//
//   node web/testing/page.mjs FOLDER      FOLDER/native.json is what the native engine computed; pictures go there too

import assert from "node:assert/strict";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Browser, serve } from "./browser.mjs";

const folder = resolve(process.argv[2] ?? "target/web-test");
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const TOLERANCE = 1e-4;

for (const name of await readdir(folder)) if (name.endsWith(".safetensors")) await rm(`${folder}/${name}`);
const server = await serve(dist);
const browser = await Browser.launch();
await browser.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
let checks = 0;

async function check(what, act) {
  const begun = Date.now();
  try {
    const note = await act();
    checks += 1;
    console.log(`ok: ${what}${note ? ` (${note})` : ""}, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(`FAILED: ${what}\n${error.stack}`);
    await browser.close();
    process.exit(1);
  }
}

// Words for the page's parts, in the page itself.
const TOOLS = `
  const $ = (id) => document.getElementById(id);
  window.tools = {
    step: () => Number(/Step ([\\d,]+)/.exec($("status").textContent)?.[1].replaceAll(",", "") ?? 0),
    cell: (task, column) => $("numbers").tBodies[0].rows[task].cells[column].textContent,
    set: (id, value) => { const it = $(id); it.value = value; for (const type of ["input", "change"]) it.dispatchEvent(new Event(type, { bubbles: true })); },
    drop: (name, text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Array.isArray(text) ? new Uint8Array(text) : text], name, { type: "text/csv" }));
      for (const type of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    boxes: () => [...document.querySelectorAll("figure, button, select, #numbers")].map((it) => { const { x, y, width, height } = it.getBoundingClientRect(); return [x, y, width, height].map(Math.round).join(" "); }).join("\\n"),
  };`;

async function opened(width, height, options) {
  const page = await browser.page();
  await page.size(width, height, options);
  await page.open(server.address);
  await page.until(`!document.getElementById("lab").hidden && document.getElementById("status").textContent.includes("held out")`);
  await page.evaluate(TOOLS);
  return page;
}

const picture = async (page, name, whole) => writeFile(`${folder}/${name}.png`, await page.picture(whole));
const press = (page, id) => page.evaluate(`$("${id}").click()`);
const alerted = (page) => page.evaluate(`$("alert").textContent`);

/// A safetensors file's header and numbers.
async function tensorsOf(file) {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: notes, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  assert.ok(Object.values(notes).join().includes('"network"'), "the notes say what the network is");
  const numbers = ([from, to]) => new Float32Array(bytes.buffer.slice(bytes.byteOffset + 8 + length + from, bytes.byteOffset + 8 + length + to));
  return Object.fromEntries(Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => [name, { dtype, shape, numbers: numbers(data_offsets) }]));
}

// A table of birds: a class and a number that follow from two numbers and a text, some cells missing.
const birds = ["bird,wing,habitat,kind,mass"];
for (let i = 0; i < 120; i += 1) {
  const kind = i % 3;
  const wing = i % 17 === 0 ? "NA" : 80 + 40 * kind + ((i * 37) % 23);
  birds.push(`bird ${i},${wing},${["wood", "shore"][i % 2]},${["wren", "owl", "gull"][kind]},${20 + 300 * kind + ((i * 53) % 41)}`);
}
const BIRDS = birds.join("\n");
const TRAJECTORY = `(async () => {
  const { Device } = await import("./pkg/awl_web.js");
  const device = await Device.open();
  const begun = performance.now();
  const found = JSON.parse(await device.trajectory(50));
  return { found, name: device.name(), seconds: (performance.now() - begun) / 1000 };
})()`;

const page = await opened(1280, 800);

await check("the browser's trajectory is the native engine's", async () => {
  const native = JSON.parse(await readFile(`${folder}/native.json`, "utf8"));
  const { found, name } = await page.evaluate(TRAJECTORY);
  assert.deepEqual(found.tasks, ["species", "body_mass_g"]);
  const worst = {};
  for (const what of ["totals", "losses", "sigma"]) {
    const [ours, theirs] = [found[what].flat(), native[what].flat()];
    assert.equal(ours.length, what === "totals" ? 50 : 100);
    assert.equal(theirs.length, ours.length);
    const deviations = ours.map((value, i) => Math.abs(value - theirs[i]) / Math.max(1, Math.abs(theirs[i])));
    worst[what] = Math.max(...deviations);
    assert.ok(worst[what] <= TOLERANCE, `${what}: off by ${worst[what]} at most`);
  }
  assert.ok(native.losses[49][0] < native.losses[0][0], "the loss fell");
  await writeFile(`${folder}/browser.json`, JSON.stringify(found));
  return `${name}: ${Object.entries(worst).map(([what, by]) => `${what} within ${by.toExponential(1)}`).join(", ")}`;
});

await check("every control and picture has a name, and a keyboard starts and pauses training", async () => {
  await picture(page, "fresh");
  const controls = await page.controls();
  assert.ok(controls.length > 15, `${controls.length} controls`);
  for (const { role, name } of controls) assert.ok(name.trim(), `a ${role} has no name`);
  const key = async (code, key, text) => {
    for (const type of ["keyDown", "keyUp"]) await page.send("Input.dispatchKeyEvent", { type, key, code, text: type === "keyDown" ? text : undefined, windowsVirtualKeyCode: code === "Tab" ? 9 : 32 });
  };
  await page.evaluate(`document.activeElement.blur()`);
  await key("Tab", "Tab");
  assert.equal(await page.evaluate(`document.activeElement.id`), "train");
  await key("Space", " ", " ");
  await page.until(`tools.step() > 9`);
  assert.equal(await page.evaluate(`$("train").textContent`), "Pause");
  await key("Space", " ", " ");
  await page.until(`$("train").textContent === "Train"`);
  return `${controls.length} of them`;
});

await check("training at full pace learns the penguins, and nothing on the page moves meanwhile", async () => {
  await page.evaluate(`tools.set("pace", "most")`);
  const before = await page.evaluate(`tools.boxes()`);
  await press(page, "train");
  await page.until(`tools.step() > 360`, 120);
  const [begun, from] = await page.evaluate(`[performance.now(), tools.step()]`);
  assert.equal(await page.evaluate(`tools.boxes()`), before);
  await page.until(`/steps a second/.test($("status").textContent)`);
  await picture(page, "training");
  await page.until(`tools.step() > 1500`, 120);
  const [ended, to] = await page.evaluate(`[performance.now(), tools.step()]`);
  const speed = `${Math.round((1000 * (to - from)) / (ended - begun))} steps a second, drawn`;
  await press(page, "train");
  await page.until(`$("train").textContent === "Train" && $("losses").ariaLabel.includes("over " + tools.step() + " steps")`);
  const right = parseFloat(await page.evaluate(`tools.cell(0, 4)`));
  assert.ok(right >= 95, `${right} % right`);
  const grams = /off by (\d+)/.exec(await page.evaluate(`tools.cell(1, 4)`))[1];
  assert.ok(Number(grams) < 400, `off by ${grams} g`);
  const walk = await page.evaluate(`$("losses").ariaLabel`);
  const [, first, final] = /species from (\S+) to (\S+);/.exec(walk).map(Number);
  assert.ok(first > 0.9 && final < 0.05, walk);
  await picture(page, "trained");
  return `${speed}; ${right} % of the species right, off by ${grams} g`;
});

await check("learning rates change on the way; weighting and widths start over and keep the run before in grey", async () => {
  await page.evaluate(`tools.set("pace", "epoch")`);
  const step = await page.evaluate(`tools.step()`);
  await page.evaluate(`tools.set("rate", "-2")`);
  assert.equal(await page.evaluate(`$("rate-value").textContent`), "0.01");
  await press(page, "train");
  await page.until(`tools.step() > ${step}`);
  await page.evaluate(`$("controls").querySelector("[value=equal]").click()`);
  await page.until(`tools.step() > 0 && tools.step() < ${step} && tools.cell(0, 3) === "–"`);
  assert.equal(await page.evaluate(`tools.cell(0, 2)`), "1");
  await page.evaluate(`tools.set("hidden-1", "8"); tools.set("hidden-2", "0")`);
  await page.until(`tools.step() > 27`);
  await picture(page, "equal");
  await press(page, "train");
  await press(page, "again");
  await page.until(`$("status").textContent.includes("132 weights")`);
  // 11 inputs, 3 classes and a number, and their biases: 8 · 12 + 4 · 9.
  assert.match(await page.evaluate(`$("network").ariaLabel`), /trunk\.0\.weight 8 by 11, heads\.species\.weight 3 by 8/);
});

await check("a table that is dropped is learned, and its weights are saved as PyTorch would name them", async () => {
  await page.evaluate(`$("controls").querySelector("[value=awl]").click(); tools.drop("birds.csv", ${JSON.stringify(BIRDS)})`);
  await page.until(`$("data-name").textContent.startsWith("birds.csv: 120 rows, 5 columns, 8 cells missing")`);
  assert.deepEqual(await page.evaluate(`[$("task-1").value, $("task-2").value]`), ["habitat", "mass"]);
  await page.evaluate(`tools.set("task-2", "habitat")`);
  assert.deepEqual(await page.evaluate(`[$("task-1").value, $("task-2").value]`), ["mass", "habitat"], "they change places");
  await page.evaluate(`tools.set("task-1", "kind"); tools.set("task-2", "mass")`);
  assert.equal(await page.evaluate(`$("inputs-summary").textContent`), "Inputs: 2 of 3 columns");
  await page.until(`tools.cell(0, 1) === "–"`);
  await press(page, "train");
  await page.until(`tools.step() > 150`, 120);
  await press(page, "train");
  await page.until(`$("train").textContent === "Train" && $("losses").ariaLabel.includes("over " + tools.step() + " steps")`);
  await picture(page, "birds");
  const right = parseFloat(await page.evaluate(`tools.cell(0, 4)`));
  assert.ok(right > 80, `${right} % right`);
  await press(page, "save");
  await page.until(`$("live").textContent.startsWith("Saved awl-step-")`);
  const name = await page.evaluate(`$("live").textContent.slice(6, -1)`);
  for (let tries = 0; !(await readdir(folder)).includes(name); tries += 1) {
    assert.ok(tries < 200, `${name} did not arrive`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const tensors = await tensorsOf(`${folder}/${name}`);
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape.join(" ")]));
  // Inputs: wing, with a flag for missing cells, and two habitats.
  assert.deepEqual(shapes, { "trunk.0.weight": "8 4", "trunk.0.bias": "8", "heads.kind.weight": "3 8", "heads.kind.bias": "3", "heads.mass.weight": "1 8", "heads.mass.bias": "1", "awl.params": "2" });
  for (const [name, { dtype, numbers }] of Object.entries(tensors)) assert.ok(dtype === "F32" && numbers.every(Number.isFinite), name);
  const sigma = [...tensors["awl.params"].numbers].map((value) => String(Number(value.toPrecision(2))));
  return `${right} % right, σ ${sigma.join(" and ")}`;
});

await check("a broken table is met with the library's message, and the run goes on without it", async () => {
  for (const [name, text, message] of [
    ["ragged.csv", "a,b,c\n1,2,3\n4,5\n", "ragged.csv: line 3: the number of cells is 2, but the header names 3 columns: write NA for a missing cell"],
    ["semicolons.csv", "a;b;c\n1;2;3\n", "semicolons.csv: line 1: the header names one column"],
    ["empty.csv", "", "empty.csv: the file is empty: name the columns in its first line"],
    ["latin-1.csv", [97, 44, 98, 44, 99, 10, 49, 44, 228, 44, 50, 10], "latin-1.csv: line 2, column 2: the text is not UTF-8"],
    ["quote.csv", 'a,b,c\n1,"2,3\n4,5,6\n', "quote.csv: line 2: a quote opened here is never closed"],
    ["narrow.csv", "a,b\n1,2\n", "narrow.csv: the number of columns is 2"],
  ]) {
    await page.evaluate(`$("alert").textContent = ""; tools.drop("${name}", ${JSON.stringify(text)})`);
    await page.until(`$("alert").textContent.startsWith("${name}: ")`);
    assert.ok((await alerted(page)).startsWith(message), await alerted(page));
    assert.match(await page.evaluate(`$("data-name").textContent`), /^birds\.csv/, name);
  }
  await picture(page, "broken");
  await press(page, "close");
  assert.equal(await alerted(page), "");
  // A slip in a column of numbers comes to light when it is learned from; the table stays, to pick other inputs.
  await page.evaluate(`tools.drop("slip.csv", ${JSON.stringify(BIRDS.replace("\nbird 1,134,", "\nbird 1,13a,"))})`);
  await page.until(`$("alert").textContent.includes("is not a number")`);
  assert.match(await alerted(page), /^slip\.csv: line 3, column "wing": "13a" is not a number, but 111 of the column's 112 cells are/);
  assert.deepEqual(await page.evaluate(`[$("save").disabled, $("results").className]`), [true, "past"]);
  await page.evaluate(`$("inputs").parentElement.open = true; $("inputs").querySelector("[value=wing]").click()`);
  await page.until(`$("alert").textContent === ""`);
  await press(page, "train");
  await page.until(`tools.step() > 9`);
  await press(page, "train");
});

await check("losses that leave the finite numbers stop the run with a sentence", async () => {
  await press(page, "penguins");
  await page.until(`$("data-name").textContent.startsWith("Penguins: 344 rows")`);
  await page.evaluate(`$("rate").max = 30; tools.set("rate", "30")`);
  await press(page, "train");
  await page.until(`$("alert").textContent.includes("lower the learning rate")`);
  assert.equal(await page.evaluate(`$("train").textContent`), "Train");
  const said = await alerted(page);
  await page.evaluate(`tools.set("rate", "-3")`);
  await press(page, "again");
  await page.until(`$("alert").textContent === ""`);
  return said;
});

await check("a lost GPU is said, and opened again", async () => {
  await press(page, "train");
  await page.until(`tools.step() > 9`);
  await page.evaluate(`import("./app.js").then(({ want }) => want({ lose: true }))`);
  await page.until(`$("alert").textContent.startsWith("The GPU was lost")`);
  assert.equal(await page.evaluate(`$("save").disabled`), true);
  await picture(page, "lost");
  await press(page, "again");
  await page.until(`$("alert").textContent === "" && !$("save").disabled`);
  await press(page, "train");
  await page.until(`tools.step() > 9 && tools.step() < 2000`);
  await press(page, "train");
});

await check("nothing was sent anywhere, and nothing complained", async () => {
  assert.ok(server.requests.every(({ method }) => method === "GET"));
  const paths = new Set(server.requests.map(({ path }) => path));
  assert.deepEqual([...paths].sort(), ["/", "/app.js", "/charts.js", "/form.js", "/pkg/awl_web.js", "/pkg/awl_web_bg.wasm", "/style.css", "/view.js"]);
  assert.deepEqual(page.complaints, []);
});

await check("on a telephone, in the dark and without motion", async () => {
  const phone = await opened(390, 844, { mobile: true, scale: 2 });
  assert.ok((await phone.evaluate(`document.documentElement.scrollWidth`)) <= 390, "it scrolls sideways");
  await picture(phone, "phone-fresh");
  await phone.evaluate(`$("settings").open = true`);
  await picture(phone, "phone-settings");
  await phone.evaluate(`$("settings").open = false`);
  await phone.prefer("prefers-reduced-motion", "reduce");
  await phone.evaluate(`window.drawn = 0; const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...all) { window.drawn += this.canvas.id === "losses"; clear.apply(this, all); };
    window.begun = performance.now(); $("train").click()`);
  await phone.until(`tools.step() > 600`, 120);
  const { drawn, seconds } = await phone.evaluate(`({ drawn, seconds: (performance.now() - begun) / 1000 })`);
  assert.ok(drawn <= seconds + 2, `${drawn} drawings in ${seconds} s`);
  await press(phone, "train");
  await phone.until(`$("losses").ariaLabel?.includes("over " + tools.step() + " steps")`);
  assert.ok((await phone.evaluate(`document.documentElement.scrollWidth`)) <= 390, "it scrolls sideways");
  await picture(phone, "phone");
  for (const [view, name] of [[phone, "phone-dark"], [page, "dark"]]) {
    await view.prefer("prefers-color-scheme", "dark");
    await view.evaluate(`new Promise((resolve) => setTimeout(resolve, 300))`);
    await picture(view, name, view === phone);
  }
  assert.deepEqual(phone.complaints, []);
});

await check("a browser without WebGPU, or without a GPU for it, gets a page that says so", async () => {
  const without = await browser.page();
  await without.size(1280, 800);
  await without.send("Page.addScriptToEvaluateOnNewDocument", { source: "delete Navigator.prototype.gpu;" });
  await without.open(server.address);
  await without.until(`!document.getElementById("missing").hidden`);
  assert.match(await without.evaluate(`document.getElementById("missing").innerText`), /no WebGPU[^]*Firefox[^]*cargo run/);
  assert.equal(await without.evaluate(`document.getElementById("lab").hidden`), true);
  await picture(without, "missing");
  const bare = await browser.page();
  await bare.send("Page.addScriptToEvaluateOnNewDocument", { source: "GPU.prototype.requestAdapter = async () => null;" });
  await bare.open(server.address);
  await bare.until(`!document.getElementById("missing").hidden`);
  assert.match(await bare.evaluate(`document.getElementById("missing-why").textContent`), /found no GPU/);
});

await browser.close();
server.stop();
console.log(`${checks} checks passed; the pictures are in ${folder}`);
