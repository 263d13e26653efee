// The controls: what they say, and filling those that depend on the table.

const element = (id) => document.getElementById(id);

/// Words for a learning rate given by its power of ten: 0.001, 0.0018, …
function rateOf(slider) {
  return Number((10 ** Number(slider.value)).toPrecision(2));
}

/// The settings for a run, as the library takes them.
export function settings() {
  const hidden = [element("hidden-1"), element("hidden-2")].map((select) => Number(select.value));
  return {
    learned: document.querySelector("input[name=scheme]:checked").value === "awl",
    learning_rate: rateOf(element("rate")),
    sigma_learning_rate: rateOf(element("sigma-rate")),
    hidden: hidden.filter((width) => width > 0),
  };
}

/// Writes the learning rates beside their sliders, and where there is no σ says so.
export function showRates() {
  for (const id of ["rate", "sigma-rate"]) {
    const words = String(rateOf(element(id)));
    element(`${id}-value`).textContent = words;
    element(id).setAttribute("aria-valuetext", words);
  }
  element("sigma-rate").disabled = !settings().learned;
}

/// What is predicted from what.
export function plan() {
  const tasks = [element("task-1").value, element("task-2").value];
  const inputs = [...element("inputs").querySelectorAll("input")];
  return { tasks, inputs: inputs.filter((box) => box.checked && !box.disabled).map((box) => box.value) };
}

/// The most steps that may go into a frame.
export function mostAFrame(stepsPerEpoch) {
  return { step: 1, epoch: stepsPerEpoch, most: Infinity }[element("pace").value];
}

/// Fills the controls that depend on the table.
export function showData(name, rows, columns, tasks) {
  const missing = columns.reduce((sum, column) => sum + column.missing, 0);
  const cells = missing === 1 ? "cell" : "cells";
  element("data-name").textContent =
    `${name}: ${rows.toLocaleString("en")} rows, ${columns.length} columns` + (missing ? `, ${missing.toLocaleString("en")} ${cells} missing` : "");
  for (const [i, id] of ["task-1", "task-2"].entries()) {
    element(id).replaceChildren(
      ...columns.map((column) => {
        const what = column.kind === "number" ? "" : ` (${column.values} classes)`;
        return new Option(column.name + what, column.name);
      }),
    );
    element(id).value = tasks[i];
  }
  element("inputs").replaceChildren(
    ...columns.map((column) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", value: column.name, checked: column.input });
      label.append(box, ` ${column.name}`);
      return label;
    }),
  );
  settleTasks();
}

/// Keeps the two tasks apart, and off the inputs. `changed` is the select that the visitor touched.
export function settleTasks(changed) {
  const [first, second] = [element("task-1"), element("task-2")];
  if (first.value === second.value) {
    // The two change places: what was taken from the other gets what this one had.
    const other = changed === first ? second : first;
    other.value = changed.dataset.before;
  }
  for (const select of [first, second]) select.dataset.before = select.value;
  const tasks = [first.value, second.value];
  const boxes = [...element("inputs").querySelectorAll("input")];
  for (const box of boxes) box.disabled = tasks.includes(box.value);
  const count = boxes.filter((box) => box.checked && !box.disabled).length;
  element("inputs-summary").textContent = `Inputs: ${count} of ${boxes.length - 2} columns`;
}
