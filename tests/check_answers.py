#!/usr/bin/env python3
"""Random tables, trained on for a moment: is what `awl predict` writes what `awl evaluate` judged and what the ONNX export computes?

    python3 tests/check_answers.py [--tables 200] [--seed 0] [--awl target/release/awl] [--keep FOLDER]

Each table has features and tasks of every kind: numbers of scales from 1e-30 to 1e30, some far from 0, some written for people
(1,163.74, 45%, $3); texts, yes and no in any capitals, missing cells. `predict` answers all rows in CSV and in JSON; both are
scored here by the labels as the table has them, and compared with the figures of `evaluate`. Where onnxruntime is installed,
the exported model answers the same rows. Python alone is needed, 3.8 or later. Exit status 0 if nothing differs by more than f32's
own rounding at the scale of the labels.
"""
import argparse, concurrent.futures, csv, json, math, os, random, shutil, subprocess, sys, tempfile

try:
    import numpy, onnxruntime
    onnxruntime.set_default_logger_severity(3)
except ImportError:
    onnxruntime = None

# In standard deviations of the labels. A figure is a mean over rows whose answers are rounded to 2^-24 of one at most.
FIGURES, ONNX = 3e-7, 2e-5


class Column:
    """A column's cells as they are written, as numbers where they are some (NaN where missing), and what they are worth to labels."""

    def __init__(self, name, cells, numbers=None, worth=None):
        self.name, self.cells, self.numbers, self.worth = name, cells, numbers, worth


def number(r, name, worth, written=True):
    """Numbers of any scale, at any distance from 0, in any way of writing."""
    scale = 10.0 ** r.uniform(-30, 30) if r.random() < 0.5 else 10.0 ** r.uniform(-3, 4)
    offset = scale * r.choice([0, 0, 0, 1, -3, 30, 1e3, 1e6])
    values = [offset + scale * x for x in worth]
    way = r.choice(["plain", "plain", "plain", "grouped", "%", "$"]) if written and 1e-2 < scale and abs(offset) + 9 * scale < 1e9 else "plain"
    if way == "plain":
        cells = [repr(x) for x in values]
    else:
        cells = {"grouped": [f"{x:,.4f}" for x in values], "%": [f"{x:.4f}%" for x in values], "$": [("-" if x < 0 else "") + f"${abs(x):,.4f}" for x in values]}[way]
        values = [float(c.replace(",", "").replace("$", "").replace("%", "")) for c in cells]
        if way == "grouped" and not any("," in c for c in cells):
            cells = [repr(x) for x in values]
    return Column(name, cells, values, worth)


def feature(r, name, rows):
    kind = r.choice(["number", "number", "number", "text", "bool"])
    if kind == "number":
        column = number(r, name, [r.gauss(0, 1) for _ in range(rows)])
    else:
        words = {"text": ["red", "gree n", "blue, dark", 'he said "so"', "None"], "bool": ["TRUE", "False", "true", "false"]}[kind]
        chosen = [r.choice(words) for _ in range(rows)]
        column = Column(name, chosen, None, [(len(word) % 3) - 1.0 for word in chosen])
    if r.random() < 0.4:
        for row in range(rows):
            if r.random() < 0.15:
                column.cells[row], column.worth[row] = r.choice(["", "NA", "nan"]), 0.0
                if column.numbers:
                    column.numbers[row] = math.nan
    return column


def task(r, name, rows, features):
    weights = [r.gauss(0, 1) for _ in features]
    worth = [sum(w * f.worth[i] for w, f in zip(weights, features)) + 0.3 * r.gauss(0, 1) for i in range(rows)]
    kind = r.choice(["mse", "mse", "mae", "huber", "bce", "cross_entropy", "two"])
    if kind == "two":
        columns = [number(r, f"{name}{k}", [x + 0.1 * r.gauss(0, 1) for x in worth]) for k in "ab"]
        spec, kind = f"{name}={name}a,{name}b:mse", "mse"
    elif kind in ("bce", "cross_entropy"):
        words = ["no", "yes"] if kind == "bce" else ["low", "mid dle", "high, very"]
        edges = [0] if kind == "bce" else [-0.7, 0.7]
        columns, spec = [Column(name, [words[sum(x > e for e in edges)] for x in worth])], f"{name}:{kind}"
    else:
        columns, spec = [number(r, name, worth)], f"{name}:{kind}"
    if r.random() < 0.4:
        for row in range(5, rows):
            if r.random() < 0.2:
                column = r.choice(columns)
                column.cells[row] = r.choice(["", "NA"])
                if column.numbers:
                    column.numbers[row] = math.nan
    return kind, spec, columns


def write(path, columns):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow([c.name for c in columns])
        # A row without any cell is none.
        out.writerows(zip(*(c.cells for c in columns)))


def run(options, folder, *words):
    done = subprocess.run([options.awl, *words], cwd=folder, text=True, encoding="utf-8", capture_output=True,
                          env={**os.environ, "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", folder)})
    if done.returncode:
        raise Wrong(f"awl {' '.join(words[:2])} ends with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


class Wrong(Exception):
    pass


def labelled(columns):
    """The rows that have a label in all columns of a task."""
    return [i for i in range(len(columns[0].cells)) if all(c.cells[i] not in ("", "NA") for c in columns)]


def spread(values):
    mean = sum(values) / len(values)
    largest = max(abs(x - mean) for x in values) or 1.0
    return largest * math.sqrt(sum(((x - mean) / largest) ** 2 for x in values) / len(values))


def close(what, found, told, allowed):
    if told is None or not abs(found - told) <= allowed:
        raise Wrong(f"{what}: {found!r} by the answers, {told!r} by evaluate, {allowed:.1e} allowed")


def judge_numbers(form, columns, told, answers):
    rows = labelled(columns)
    figures = told["columns"] if len(columns) > 1 else [told]
    for column, figure in zip(columns, figures):
        truth = [column.numbers[i] for i in rows]
        found = [float(answers[i][column.name]) for i in rows]
        std = spread([x for x in column.numbers if not math.isnan(x)])
        # In standard deviations, so that no square leaves the numbers of f64.
        errors = [(a - b) / std for a, b in zip(found, truth)]
        rmse, mae = math.sqrt(sum(e * e for e in errors) / len(errors)), sum(map(abs, errors)) / len(errors)
        # How finely f64 itself tells the labels apart.
        floor = 4e-16 * max(map(abs, truth)) / std
        close(f"{form} {column.name} RMSE", rmse, figure["rmse"] / std, FIGURES * (1 + rmse) + floor)
        close(f"{form} {column.name} MAE", mae, figure["mae"] / std, FIGURES * (1 + mae) + floor)
        variance = spread(truth) ** 2 / std / std
        close(f"{form} {column.name} R²", 1 - rmse * rmse / variance, figure["r2"], 4 * (FIGURES * (1 + rmse) + floor) * (1 + rmse) / variance)


def judge_classes(form, name, column, told, answers):
    rows = labelled([column])
    right = sum(answers[i][name] == column.cells[i] for i in rows) / len(rows)
    close(f"{form} {name} accuracy", right, told["accuracy"], 1e-12)
    # Probabilities are written with six decimals.
    ps = [float(answers[i][f"{name}={column.cells[i]}"]) for i in rows]
    if min(ps) > 1e-3:
        close(f"{form} {name} log loss", -sum(map(math.log, ps)) / len(ps), told["log_loss"], 1e-6 / min(ps))


def judge_onnx(folder, features, tasks, answers):
    session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64}
    by_name = {c.name: c for c in features}
    inputs = {}
    for it in session.get_inputs():
        column = by_name[it.name]
        if it.type in kinds:
            with numpy.errstate(over="ignore"):
                cells = numpy.array(column.numbers, kinds[it.type])
        else:
            cells = numpy.array(["" if cell in ("", "NA", "nan") else cell for cell in column.cells], object)
        inputs[it.name] = cells[:, None]
    names = [it.name for it in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, inputs)))
    worst = 0.0
    for kind, spec, columns in tasks:
        name = spec.split("=")[0].split(":")[0]
        if kind in ("bce", "cross_entropy"):
            classes = sorted(set(columns[0].cells) - {"", "NA"})
            found = outputs[f"{name}.probabilities"]
            if kind == "bce":
                found = numpy.concatenate([1 - found, found], 1)
            told = numpy.array([[float(row[f"{name}={c}"]) for c in classes] for row in answers])
            worst = max(worst, float(abs(found - told).max()))
        else:
            for k, column in enumerate(columns):
                std = spread([x for x in column.numbers if not math.isnan(x)])
                told = numpy.array([float(row[column.name]) for row in answers])
                # Answers far from all labels are known to f32's own digits.
                size = numpy.maximum(1.0, abs(told - numpy.nanmean(column.numbers)) / std)
                worst = max(worst, float((abs(outputs[name][:, k].astype(float) - told) / std / size).max()))
    if not worst <= ONNX:
        raise Wrong(f"the ONNX model is off by {worst:.1e} standard deviations")
    return worst


def one(options, seed, top):
    r = random.Random(seed)
    folder = os.path.join(top, str(seed))
    os.makedirs(folder)
    rows = r.randrange(40, 160)
    features = [feature(r, f"x{k}", rows) for k in range(r.randrange(2, 6))]
    tasks = [task(r, f"y{k}", rows, features) for k in range(r.randrange(1, 4))]
    columns = features + [c for _, _, columns in tasks for c in columns]
    r.shuffle(columns)
    write(os.path.join(folder, "t.csv"), columns)
    try:
        words = [word for _, spec, _ in tasks for word in ("--task", spec)]
        run(options, folder, "train", "t.csv", *words, "--features", ",".join(c.name for c in features), "--hidden", "8", "--lr", "0.01",
            "--epochs", "8", "--seed", str(seed), "--engine", "reference", "--out", "run", "-q")
        told = json.loads(run(options, folder, "evaluate", "run", "t.csv", "--json"))["tasks"]
        lines = list(csv.DictReader(run(options, folder, "predict", "run", "t.csv").splitlines()))
        objects = [json.loads(line) for line in run(options, folder, "predict", "run", "t.csv", "--json").splitlines()]
        for form, answers in (("CSV", lines), ("JSON", objects)):
            for kind, spec, columns in tasks:
                name = spec.split("=")[0].split(":")[0]
                if kind in ("bce", "cross_entropy"):
                    judge_classes(form, name, columns[0], told[name], answers)
                else:
                    judge_numbers(form, columns, told[name], answers)
        run(options, folder, "export", "run", "--onnx", "--out", "model.onnx")
        return judge_onnx(folder, features, tasks, lines) if onnxruntime else None
    except Wrong as wrong:
        return f"table {seed}: {wrong}"
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--awl", default="target/release/awl")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the tables and runs there")
    options = parser.parse_args()
    options.awl = os.path.abspath(options.awl)
    top = options.keep or tempfile.mkdtemp(prefix="awl-answers-")
    try:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            seeds = range(options.seed, options.seed + options.tables)
            found = list(pool.map(lambda seed: one(options, seed, top), seeds))
    finally:
        if not options.keep:
            shutil.rmtree(top, ignore_errors=True)
    wrong = [it for it in found if isinstance(it, str)]
    print("\n".join(wrong[:20]))
    if onnxruntime:
        worst = max([it for it in found if isinstance(it, float)], default=math.nan)
        print(f"onnxruntime {onnxruntime.__version__}: off by {worst:.1e} standard deviations at most")
    else:
        print("onnxruntime is not installed: the exported models were not run")
    print(f"{len(found) - len(wrong)} of {len(found)} tables agree")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
