// The page's one loop. It alone touches the GPU, the table and the run; the controls only leave wishes, which it
// meets between two frames. So nothing is used twice at once, and nothing ever waits but by `await`.

import init, { Data, Device, Run } from "./pkg/awl_web.js";
import { plan, settings, settleTasks, showData, showRates, mostAFrame } from "./form.js";
import { View } from "./view.js";

const element = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/// Epochs after which training pauses by itself.
const EPOCHS = 300;
/// Milliseconds between two looks at predictions and weights, between two drawings where motion is unwelcome, and
/// between two announcements.
const [LOOK, CALM, ANNOUNCE] = [150, 1000, 10_000];
/// The most steps that one submission may carry, and the milliseconds that one should take.
const [MOST_STEPS, FRAME] = [256, 40];

let device = null;
let data = null;
let run = null;
let description = null;
let view = null;
let pauseAt = EPOCHS;
const last = { look: 0, draw: 0, announce: 0 };

// Wishes

const NONE = { table: null, restart: false, rates: false, save: false, look: false, draw: false, lose: false };
let wishes = { ...NONE };
let isTraining = false;
let wake = () => {};

/// Leaves a wish; `lose` is for tests, which see what becomes of a page whose GPU is taken away.
export function want(some) {
  Object.assign(wishes, some);
  wake();
}

function setTraining(is) {
  isTraining = is;
  element("train").textContent = is ? "Pause" : "Train";
  speed.clear();
  want({ look: true, draw: true });
}

/// Waits for the next frame, or, if nothing is to be done, for a wish.
async function turn() {
  const isWished = Object.values(wishes).some(Boolean);
  if (!isWished && !isTraining) await new Promise((resolve) => (wake = resolve));
  await frame();
}

const frame = () => new Promise(requestAnimationFrame);

/// Grants the wishes, in an order in which none undoes another.
async function grant() {
  const wished = wishes;
  wishes = { ...NONE };
  if (wished.table) take(wished.table.name, await wished.table.read());
  if (wished.lose) device?.lose();
  if (wished.table || wished.restart || (isTraining && !run)) await start();
  if (!run) return;
  if (wished.rates) await run.setRates(JSON.stringify(settings()));
  if (wished.save) await save();
  if (isTraining) await advance();
  else if (wished.look) await look();
  const now = performance.now();
  if (isTraining ? now - last.draw > (calm.matches ? CALM : 0) : wished.draw || wished.restart || wished.table) {
    view.draw(speed.rate);
    if (!isTraining) view.describe();
    last.draw = now;
  }
}

// Training

async function start() {
  alertOf("");
  device ??= await Device.open();
  element("gpu").textContent = `Training on ${await gpuName()}.`;
  letGo();
  if (!view) {
    // Shown before the compiler, which may hold the screen up, begins.
    element("status").textContent = "Compiling the kernels for this GPU…";
    for (let frames = 0; frames < 2; frames += 1) await frame();
  }
  run = await Run.start(device, data, JSON.stringify(plan()), JSON.stringify(settings()));
  description = JSON.parse(run.describe());
  view = new View(description, view);
  pauseAt = EPOCHS;
  showRun();
  await look();
}

function letGo() {
  run?.free();
  run = null;
}

/// Where there is no run any more, the pictures of the last one are pale.
function showRun() {
  element("save").disabled = !run;
  element("results").classList.toggle("past", !run);
}

/// Fetches predictions and weights.
async function look() {
  view.judge(JSON.parse(await run.judge()));
  view.weigh(await run.parameters());
  last.look = performance.now();
}

/// Makes the steps of a frame.
async function advance() {
  const begun = performance.now();
  const left = Math.max(1, pauseAt * description.steps_per_epoch - view.step);
  const count = Math.min(mostAFrame(description.steps_per_epoch), speed.steps, left);
  view.push(await run.train(count));
  const now = performance.now();
  speed.measure(count, begun, now);
  if (view.epoch >= pauseAt) {
    await look();
    announce(`Paused after ${pauseAt} epochs. ${view.summary()}`);
    pauseAt += EPOCHS;
    setTraining(false);
    return;
  }
  if (now - last.look > LOOK) await look();
  if (now - last.announce > ANNOUNCE) announce(view.summary());
}

/// How fast it goes, and how many steps fill a frame.
const speed = {
  steps: 8,
  rate: null,
  times: [],
  clear() {
    [this.rate, this.times] = [null, []];
  },
  measure(count, begun, now) {
    const factor = Math.min(2, Math.max(0.5, FRAME / (now - begun)));
    this.steps = Math.min(MOST_STEPS, Math.max(1, Math.round(count * factor)));
    this.times.push([now, count]);
    while (this.times.length > 2 && now - this.times[0][0] > 1000) this.times.shift();
    const made = this.times.slice(1).reduce((sum, [, count]) => sum + count, 0);
    this.rate = this.times.length > 1 ? (1000 * made) / (now - this.times[0][0]) : null;
  },
};

// Files

const penguins = { name: "Penguins", read: () => Data.penguins() };

const fileOf = (file) => ({
  name: file.name,
  read: async () => Data.fromCsv(file.name, new Uint8Array(await file.arrayBuffer())),
});

function take(name, table) {
  data?.free();
  data = table;
  showData(name, data.rows(), JSON.parse(data.columns()), JSON.parse(data.plan()).tasks);
  element("penguins").hidden = name === penguins.name;
  if (isTraining) setTraining(false);
  announce(`${element("data-name").textContent}. Press Train.`);
}

async function save() {
  const bytes = await run.safetensors();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = `awl-step-${view.step}.safetensors`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  announce(`Saved ${link.download}.`);
}

// Words

function announce(words) {
  element("live").textContent = words;
  last.announce = performance.now();
}

function alertOf(words) {
  element("alert").textContent = words;
}

async function gpuName() {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, description } = adapter?.info ?? {};
  return [vendor, architecture, description].filter(Boolean).join(" ") || "a GPU that the browser does not name";
}

/// Says what went wrong, and leaves the page as usable as it can be.
function fail(error) {
  setTraining(false);
  wishes.look = false;
  if (error.name === "DeviceLost") {
    letGo();
    device = null;
    alertOf("The GPU was lost: its driver was reset, or the browser took it back. Start over opens it again.");
  } else if (error instanceof WebAssembly.RuntimeError) {
    // Not to be freed: it stopped in the middle of something.
    run = null;
    alertOf(`Something went wrong inside, which is a bug: please report it, and reload the page. (${error.message})`);
  } else alertOf(error.message ?? String(error));
  showRun();
}

function missing(why) {
  element("missing-why").textContent = why;
  element("missing").hidden = false;
}

// Controls

function listen() {
  const on = (id, event, act) => element(id).addEventListener(event, act);
  on("train", "click", () => setTraining(!isTraining));
  on("again", "click", () => want({ restart: true }));
  on("save", "click", () => want({ save: true }));
  on("penguins", "click", () => want({ table: penguins }));
  on("close", "click", () => {
    alertOf("");
    element("train").focus();
  });
  on("file", "change", (event) => {
    const [file] = event.target.files;
    if (file) want({ table: fileOf(file) });
    // So that the same file, mended, can be opened again.
    event.target.value = "";
  });
  for (const id of ["rate", "sigma-rate"]) {
    on(id, "input", showRates);
    on(id, "change", () => want({ rates: true }));
  }
  for (const id of ["hidden-1", "hidden-2", "inputs"]) on(id, "change", () => want({ restart: true }));
  for (const id of ["task-1", "task-2"]) on(id, "change", () => want({ restart: true }));
  element("controls").addEventListener("change", (event) => {
    if (event.target.name === "scheme") want({ restart: true });
    const isPlan = event.target.id.startsWith("task-") || event.target.closest("#inputs");
    if (isPlan) settleTasks(event.target);
    showRates();
  });
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("resize", () => want({ draw: true }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => want({ draw: true }));
  listenForDrops();
  // Where there is room for the settings they are always open.
  const wide = matchMedia("(min-width: 861px)");
  const open = () => (element("settings").open = wide.matches);
  wide.addEventListener("change", open);
  open();
}

function listenForDrops() {
  const show = (is) => document.body.classList.toggle("dropping", is);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    show(true);
  });
  addEventListener("dragleave", (event) => show(event.relatedTarget !== null));
  addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    const [file] = event.dataTransfer.files;
    if (file) want({ table: fileOf(file) });
  });
}

async function begin() {
  if (!navigator.gpu) {
    return missing(
      isSecureContext
        ? "It has no WebGPU, through which this page computes. These browsers have it:"
        : "WebGPU, through which this page computes, is only there over https or on localhost. And these browsers have it:",
    );
  }
  await init();
  try {
    device = await Device.open();
  } catch {
    return missing("It knows WebGPU, but found no GPU that it may use, or one that is too limited. These browsers have one on most machines:");
  }
  showRates();
  listen();
  element("lab").hidden = false;
  want({ table: penguins });
  for (;;) {
    await turn();
    try {
      await grant();
    } catch (error) {
      fail(error);
    }
  }
}

begin().catch((error) => missing(`The page could not start (${error.message}). Reload it, or try one of these browsers:`));
