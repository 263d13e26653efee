// Pictures on canvases: lines over steps, predictions against the truth, weights as colours. Everything is drawn from
// what it is given; colours come from the style sheet, so that light and dark are its business alone.

/// A curve of any length in bounded memory: means over equally many steps, twice as many whenever there are too many
/// points for a chart to show.
export class Curve {
  static MOST = 240;
  means = [];
  steps = 1; // that make a point
  #sum = 0;
  #count = 0;
  #seen = 0;
  length = 0; // steps pushed

  /// Adds a step's value; NaN where it has none.
  push(value) {
    this.length += 1;
    if (Number.isFinite(value)) {
      this.#sum += value;
      this.#count += 1;
    }
    this.#seen += 1;
    if (this.#seen < this.steps) return;
    this.means.push(this.#count ? this.#sum / this.#count : NaN);
    this.#sum = this.#count = this.#seen = 0;
    if (this.means.length >= Curve.MOST) this.#halve();
  }

  #halve() {
    const pair = (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : (a + b) / 2);
    this.means = this.means.flatMap((mean, i) => (i % 2 ? [] : [pair(mean, this.means[i + 1] ?? NaN)]));
    this.steps *= 2;
  }

  /// The points as [step, value], the value NaN where there is none.
  points() {
    return this.means.map((mean, i) => [(i + 0.5) * this.steps + 0.5, mean]);
  }

  get last() {
    return this.means.findLast(Number.isFinite) ?? NaN;
  }
}

const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/// The style sheet's colours.
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(
    ["ink", "faint", "grid", "line", "ghost", "first", "second", "negative", "positive", "nothing", "on-accent"].map((name) => [name, colour(name)]),
  );
}

/// A canvas made ready: cleared, and scaled so that a unit is a CSS pixel.
function ready(canvas) {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.lineJoin = "round";
  return { context, width, height };
}

/// A number in as few signs as tell it.
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(size < 0.01 ? 2 : 3)));
}

function ticks(low, high, most) {
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/// Powers of ten within the range, or 1, 2 and 5 times those where there are few.
function logTicks(low, high) {
  const all = (factors) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const factor of factors) found.push(Number(`${factor}e${power}`));
    }
    return found.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  };
  const tens = all([1]);
  const every = Math.ceil(tens.length / 5);
  return tens.length >= 3 ? tens.filter((_, i) => i % every === 0) : all([1, 2, 5]);
}

/// Lines over steps, the values on a logarithmic axis. `lines` are {curve, colour, dash}; the axis only ever widens by
/// whole notches, so that it does not tremble.
export function lines(canvas, { lines, ghosts, empty }) {
  const colours = palette();
  const { context, width, height } = ready(canvas);
  const [left, right, top, bottom] = [44, width - 8, 8, height - 20];
  const all = [...ghosts, ...lines];
  const values = all.flatMap(({ curve }) => curve.means).filter((value) => value > 0 && Number.isFinite(value));
  if (!values.length) {
    context.fillStyle = colours.faint;
    context.textAlign = "center";
    context.fillText(empty, width / 2, height / 2);
    return;
  }
  const notch = (value, round) => 10 ** (round(Math.log10(value) * 4) / 4);
  let low = notch(values.reduce((a, b) => Math.min(a, b)), Math.floor);
  let high = notch(values.reduce((a, b) => Math.max(a, b)), Math.ceil);
  if (high / low < 3) [low, high] = [low / 10 ** 0.25, high * 10 ** 0.25];
  const steps = Math.max(20, ...all.map(({ curve }) => curve.length));
  const x = (step) => left + ((step - 1) / (steps - 1 || 1)) * (right - left);
  const y = (value) => bottom - (Math.log(value / low) / Math.log(high / low)) * (bottom - top);

  context.lineWidth = 1;
  context.strokeStyle = colours.grid;
  context.fillStyle = colours.faint;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const tick of logTicks(low, high)) {
    context.beginPath();
    context.moveTo(left, y(tick));
    context.lineTo(right, y(tick));
    context.stroke();
    context.fillText(short(tick), left - 6, y(tick));
  }
  context.textBaseline = "alphabetic";
  for (const tick of ticks(0, steps, 4)) {
    if (tick === 0) continue;
    const near = x(tick) > right - 24;
    context.textAlign = near ? "right" : "center";
    context.fillText(tick >= 1000 ? tick.toLocaleString("en") : String(tick), near ? Math.min(right, x(tick) + 12) : x(tick), height - 5);
  }

  for (const { curve, colour, dash } of all) {
    context.strokeStyle = colours[colour];
    context.lineWidth = colour === "ghost" ? 1.25 : 2;
    context.setLineDash(dash ? [6, 4] : []);
    context.beginPath();
    let isDown = false;
    for (const [step, value] of curve.points()) {
      if (!(value > 0)) continue;
      const [px, py] = [x(step), y(value)];
      isDown ? context.lineTo(px, py) : context.moveTo(px, py);
      isDown = true;
    }
    context.stroke();
  }
  context.setLineDash([]);
}

/// Predicted numbers against true ones, which lie on the diagonal when they are right. The axes are the truth's.
export function scatter(canvas, { truth, predicted, colour }) {
  const colours = palette();
  const { context, width, height } = ready(canvas);
  const [left, right, top, bottom] = [52, width - 10, 8, height - 22];
  const lowest = truth.reduce((a, b) => Math.min(a, b), Infinity);
  const highest = truth.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(lowest <= highest)) return nothing(context, width, height, colours, "No held-out row has a label.");
  const margin = (highest - lowest || Math.abs(highest) || 1) * 0.08;
  const [low, high] = [lowest - margin, highest + margin];
  const share = (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
  const x = (value) => left + share(value) * (right - left);
  const y = (value) => bottom - share(value) * (bottom - top);

  context.lineWidth = 1;
  context.strokeStyle = colours.grid;
  context.fillStyle = colours.faint;
  for (const tick of ticks(low, high, 4)) {
    context.beginPath();
    context.moveTo(left, y(tick));
    context.lineTo(right, y(tick));
    context.moveTo(x(tick), top);
    context.lineTo(x(tick), bottom);
    context.stroke();
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(short(tick), left - 6, y(tick));
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    if (x(tick) < right - 16) context.fillText(short(tick), x(tick), height - 6);
  }
  context.strokeStyle = colours.line;
  context.beginPath();
  context.moveTo(x(low), y(low));
  context.lineTo(x(high), y(high));
  context.stroke();
  context.fillStyle = colours[colour];
  context.globalAlpha = truth.length > 400 ? 0.35 : 0.75;
  truth.forEach((value, i) => {
    context.beginPath();
    context.arc(x(value), y(predicted[i]), truth.length > 400 ? 2 : 3, 0, 7);
    context.fill();
  });
  context.globalAlpha = 1;
}

function nothing(context, width, height, colours, words) {
  context.fillStyle = colours.faint;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(words, width / 2, height / 2);
}

/// Which class was taken for which: a row a true class, shaded by the share of its rows.
export function confusion(canvas, { classes, counts, colour }) {
  const colours = palette();
  const { context, width, height } = ready(canvas);
  const isNamed = classes.length <= 8;
  const widest = Math.max(...classes.map((name) => context.measureText(name).width));
  const [left, top] = isNamed ? [Math.min(widest, width * 0.3) + 8, 20] : [0, 0];
  const [across, down] = [(width - left) / classes.length, (height - top) / classes.length];
  const fitted = (name, room) => {
    let text = name;
    while (text.length > 1 && context.measureText(text).width > room) text = `${text.replace(/…$/, "").slice(0, -1)}…`;
    return text;
  };
  context.textBaseline = "middle";
  classes.forEach((name, row) => {
    const total = counts[row].reduce((a, b) => a + b, 0);
    if (isNamed) {
      context.fillStyle = colours.faint;
      context.textAlign = "right";
      context.fillText(fitted(name, left - 8), left - 8, top + (row + 0.5) * down);
      context.textAlign = "center";
      context.fillText(fitted(name, across - 4), left + (row + 0.5) * across, 8);
    }
    counts[row].forEach((count, column) => {
      const share = total ? count / total : 0;
      const [x, y] = [left + column * across, top + row * down];
      const gap = isNamed ? 1.5 : 0;
      context.fillStyle = colours.nothing;
      context.fillRect(x + gap, y + gap, across - 2 * gap, down - 2 * gap);
      context.fillStyle = colours[colour];
      context.globalAlpha = 0.85 * share;
      context.fillRect(x + gap, y + gap, across - 2 * gap, down - 2 * gap);
      context.globalAlpha = 1;
      if (isNamed && (count || row === column)) {
        context.fillStyle = share > 0.55 ? colours["on-accent"] : colours.ink;
        context.textAlign = "center";
        context.fillText(String(count), x + across / 2, y + down / 2);
      }
    });
  });
}

/// The weights of every layer as colours, one below the other as they are computed: a column an input, a row an output.
export function network(canvas, { tensors, parameters }) {
  const colours = palette();
  const { context, width, height } = ready(canvas);
  const blocks = blocksOf(tensors);
  const gap = 12;
  const rows = Math.max(...blocks.map(({ rows }) => rows));
  const columns = blocks.reduce((sum, block) => sum + block.columns, 0);
  const cell = Math.min((width - gap * (blocks.length - 1)) / columns, (height - 18) / rows, 14);
  let most = 0;
  for (const { parts } of blocks) for (const { start, end } of parts) for (let i = start; i < end; i += 1) most = Math.max(most, Math.abs(parameters[i]));
  let x = 0;
  for (const { name, rows, columns, parts } of blocks) {
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [columns, rows];
    const pixels = picture.getContext("2d").createImageData(columns, rows);
    let at = 0;
    for (const { start, end } of parts) {
      for (let i = start; i < end; i += 1, at += 4) paint(pixels.data, at, parameters[i] / (most || 1), colours);
    }
    picture.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, x, 0, columns * cell, rows * cell);
    context.fillStyle = colours.faint;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(name, x, rows * cell + 4);
    x += columns * cell + gap;
  }
}

/// The layers' weights, all heads together: {name, rows, columns, parts: [{start, end}]}.
function blocksOf(tensors) {
  const blocks = [];
  for (const { name, shape, start } of tensors) {
    if (!name.endsWith(".weight")) continue;
    const [rows, columns] = shape;
    const part = { start, end: start + rows * columns };
    const heads = blocks.at(-1);
    if (name.startsWith("heads.") && heads?.name === "heads") {
      heads.rows += rows;
      heads.parts.push(part);
    } else {
      const label = name.startsWith("heads.") ? "heads" : name.replace(".weight", "");
      blocks.push({ name: label, rows, columns, parts: [part] });
    }
  }
  return blocks;
}

const channels = new Map();

function rgb(colour) {
  if (!channels.has(colour)) channels.set(colour, [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  return channels.get(colour);
}

/// Paints a value between −1 and 1: the root makes small weights visible.
function paint(data, at, value, colours) {
  const [from, to] = [rgb(colours.nothing), rgb(value < 0 ? colours.negative : colours.positive)];
  const share = Math.sqrt(Math.min(1, Math.abs(value)));
  for (let i = 0; i < 3; i += 1) data[at + i] = from[i] + share * (to[i] - from[i]);
  data[at + 3] = 255;
}
