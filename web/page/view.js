// What is seen of a run: the numbers, the pictures, and the sentences for those who do not see them.

import { Curve, confusion, lines, network, scatter, short } from "./charts.js";

const element = (id) => document.getElementById(id);
const COLOURS = ["first", "second"];
/// Fields of a step's record: its number and the total, then loss, weight and σ of each task.
const [HEAD, FIELDS] = [2, 3];

/// A run as it is drawn.
export class View {
  #description;
  #curves; // [task][loss, weight, sigma]
  #ghosts = [];
  #judgements = null;
  #parameters = null;
  step = 0;

  /// A view for a fresh run. The curves of `before` stay as ghosts where it learned the same tasks.
  constructor(description, before) {
    this.#description = description;
    this.#curves = description.tasks.map(() => [new Curve(), new Curve(), new Curve()]);
    if (before?.learnsLike(description)) this.#ghosts = before.step > 1 ? before.#curves : before.#ghosts;
    const rows = description.tasks.map(({ name }) => {
      const row = document.createElement("tr");
      const head = Object.assign(document.createElement("th"), { scope: "row", title: name, textContent: name });
      row.append(head, ...Array.from({ length: 4 }, () => document.createElement("td")));
      return row;
    });
    element("numbers").tBodies[0].replaceChildren(...rows);
    description.tasks.forEach(({ name, classes }, task) => {
      const [caption, axes] = element(`prediction-${task + 1}`).previousElementSibling.children;
      Object.assign(caption, { textContent: name, title: name });
      axes.textContent = classes ? "true ↓ predicted →" : "true → predicted ↑";
    });
  }

  learnsLike(description) {
    const names = ({ tasks }) => tasks.map(({ name }) => name).join("\n");
    return names(description) === names(this.#description);
  }

  get epoch() {
    return this.step / this.#description.steps_per_epoch;
  }

  /// Takes in the records of some steps.
  push(records) {
    const tasks = this.#curves.length;
    const stride = HEAD + FIELDS * tasks;
    for (let at = 0; at < records.length; at += stride) {
      this.step = records[at];
      this.#curves.forEach((curves, task) => {
        curves.forEach((curve, field) => curve.push(records[at + HEAD + FIELDS * task + field]));
      });
    }
  }

  judge(judgements) {
    this.#judgements = judgements;
  }

  weigh(parameters) {
    this.#parameters = parameters;
  }

  /// How a task fares on the held-out rows, in words.
  #fares(task) {
    const judgement = this.#judgements?.[task];
    if (!judgement) return "–";
    if (judgement.kind === "classes") return judgement.accuracy === null ? "–" : `${Number((100 * judgement.accuracy).toFixed(1))} % right`;
    return judgement.rmse === null ? "–" : `off by ${short(judgement.rmse)}`;
  }

  /// Draws everything as it is now. `rate` is in steps a second, or null where nothing moves.
  draw(rate) {
    const { tasks, rows, judged, batch, parameters } = this.#description;
    const count = (n) => n.toLocaleString("en");
    const moving = rate === null ? "" : ` · ${count(Number(rate.toPrecision(2)))} steps a second`;
    element("status").textContent = this.step
      ? `Step ${count(this.step)} · epoch ${count(Math.floor(this.epoch))}${moving}`
      : `${count(rows)} rows to train on, ${batch} a step; ${count(judged)} held out; ${count(parameters)} weights`;
    [...element("numbers").tBodies[0].rows].forEach((row, task) => {
      const [loss, weight, sigma] = this.#curves[task].map((curve) => short(curve.last));
      [loss, weight, sigma, this.#fares(task)].forEach((text, i) => (row.cells[i + 1].textContent = text));
    });
    ["losses", "task-weights", "sigma"].forEach((id, field) => {
      const shown = (curves, task, colour) => ({ curve: curves[field], colour, dash: task === 1 });
      lines(element(id), {
        lines: this.#curves.map((curves, task) => shown(curves, task, COLOURS[task])),
        ghosts: this.#ghosts.map((curves, task) => shown(curves, task, "ghost")),
        empty: field === 2 && this.step ? "Equal weights have no σ." : "Press Train.",
      });
    });
    this.#judgements?.forEach((judgement, task) => {
      const canvas = element(`prediction-${task + 1}`);
      const colour = COLOURS[task];
      if (judgement.kind === "classes") confusion(canvas, { ...judgement, classes: tasks[task].classes, colour });
      else scatter(canvas, { ...judgement, colour });
    });
    if (this.#parameters) network(element("network"), { tensors: this.#description.tensors, parameters: this.#parameters });
  }

  /// The state of the run as sentences.
  summary() {
    const sentences = this.#description.tasks.map(({ name }, task) => {
      const [loss, weight, sigma] = this.#curves[task].map((curve) => short(curve.last));
      const own = sigma === "–" ? "" : `, sigma ${sigma}`;
      return `${name}: loss ${loss}, weight ${weight}${own}; held-out rows: ${this.#fares(task)}.`;
    });
    return `Epoch ${Math.floor(this.epoch)}. ${sentences.join(" ")}`;
  }

  /// Says in each picture's label what it shows.
  describe() {
    const { tasks, tensors } = this.#description;
    const names = ["Loss", "Weight", "σ"];
    ["losses", "task-weights", "sigma"].forEach((id, field) => {
      const walks = tasks.map(({ name }, task) => {
        const curve = this.#curves[task][field];
        return `${name} from ${short(curve.means.find(Number.isFinite) ?? NaN)} to ${short(curve.last)}`;
      });
      element(id).setAttribute("aria-label", `${names[field]} of each task over ${this.step} steps: ${walks.join("; ")}.`);
    });
    tasks.forEach(({ name }, task) => {
      element(`prediction-${task + 1}`).setAttribute("aria-label", `Predictions of ${name} for held-out rows: ${this.#fares(task)}.`);
    });
    const layers = tensors.filter(({ name }) => name.endsWith(".weight")).map(({ name, shape }) => `${name} ${shape.join(" by ")}`);
    element("network").setAttribute("aria-label", `The network’s weights as colours: ${layers.join(", ")}.`);
  }
}
