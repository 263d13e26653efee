#!/usr/bin/env python3
"""Loads a run's model in PyTorch with strict=True and holds its predictions against `awl predict`'s.

    python3 tests/check_pytorch.py RUN DATA.csv [AWL]

Needs torch (the CPU build will do) and nothing else. Exit status 0 if every probability, and every number in standard
deviations of its column, is within 1e-5.
"""
import csv, gzip, io, json, math, statistics, struct, subprocess, sys

import torch
from torch import nn

MISSING = {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>"}
# Missing among numbers, a text like any other among texts.
DOUBTFUL = {"none", "?", "-", "--", ".", "n.a.", "nil"}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}


def read_safetensors(path):
    """Tensors by name, and awl's notes. The format: 8 bytes of length, a JSON header, the tensors' bytes."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    notes = json.loads(header.pop("__metadata__")["awl"])
    kinds = {"F32": torch.float32, "F64": torch.float64}
    tensors = {}
    for name, it in header.items():
        start, end = (8 + length + offset for offset in it["data_offsets"])
        values = torch.frombuffer(bytearray(data[start:end]), dtype=kinds[it["dtype"]])
        tensors[name] = values.reshape(it["shape"])
    return tensors, notes


def head_keys(names):
    """The keys of the heads: the tasks' names as a ModuleDict can hold them, by the rule in docs/train.md."""

    def holdable(name):
        name = name.replace(".", "_")
        if name.startswith("_"):
            return "task" + name
        return name + "_" if hasattr(nn.ModuleDict(), name) else name

    # A name that stays as it is has its key before those that change.
    taken = {name for name in names if holdable(name) == name}
    keys = {}
    for name in names:
        key, number = holdable(name), 2
        if key != name:
            while key in taken:
                key, number = f"{holdable(name)}_{number}", number + 1
            taken.add(key)
        keys[name] = key
    return keys


class AutomaticWeightedLoss(nn.Module):
    """The module that PyTorch's users have: one parameter a task, named for what is learned of sigma."""

    def __init__(self, tasks, name):
        super().__init__()
        self.register_parameter(name, nn.Parameter(torch.ones(tasks)))


# sigma itself, and ln sigma^2.
LEARNED = ["params", "log_sigma_squared"]


class Model(nn.Module):
    def __init__(self, network, learned):
        super().__init__()
        layers, inputs = [], network["features"]
        for width in network["hidden"]:
            layers += [nn.Linear(inputs, width), ACTIVATIONS[network["activation"]]()]
            inputs = width
        self.trunk = nn.Sequential(*layers)
        self.keys = head_keys([task["name"] for task in network["tasks"]])
        heads = {self.keys[task["name"]]: nn.Linear(inputs, task["width"]) for task in network["tasks"]}
        self.heads = nn.ModuleDict(heads)
        if learned:
            self.awl = AutomaticWeightedLoss(len(network["tasks"]), learned)

    def forward(self, x):
        x = self.trunk(x)
        return {name: self.heads[key](x) for name, key in self.keys.items()}


def present(cell):
    cell = cell.strip()
    return None if cell.lower() in MISSING else cell


def scaled(scale, mean, std):
    """The function that brings a number to its scale."""
    if scale == "standard":
        return lambda number: (number - mean) / std
    [(kind, learned)] = scale.items()
    if kind == "robust":

        def robust(number):
            z = (number - learned["median"]) / learned["spread"]
            return z / math.hypot(1, z / 3)

        return robust

    def quantile(number):
        # Of lines between knots, how many are below, in parts; of a line without length, half.
        lines = zip(learned, learned[1:])
        through = [min(max((number - a) / (b - a), 0), 1) if b > a else (0.5 + (number > a) / 2 - (number < a) / 2) for a, b in lines]
        rank = sum(through) / len(through)
        return statistics.NormalDist().inv_cdf(min(max(rank, 1e-7), 1 - 1e-7))

    return quantile


def features(encoder, rows):
    """The encoder's inputs, in float64 until the last moment, as awl computes them."""
    columns = []
    for feature in encoder["features"]:
        cells = [present(row[feature["column"]]) for row in rows]
        [(kind, encoding)] = feature["encoding"].items()
        if kind != "category":
            cells = [None if cell is None or cell.lower() in DOUBTFUL else cell for cell in cells]
        if kind == "number":
            mean, std = encoding["scaling"]["mean"], encoding["scaling"]["std"]
            scale = scaled(encoding.get("scale", "standard"), mean, std)
            columns.append([0.0 if cell is None else scale(float(cell)) for cell in cells])
        if kind != "category" and encoding["indicator"]:
            columns.append([float(cell is None) for cell in cells])
        if kind == "category":
            columns += [[float(cell == name) for cell in cells] for name in encoding["categories"]]
        if kind == "category" and "rare" in encoding:
            others = [cell is not None and cell not in encoding["categories"] for cell in cells]
            columns.append([float(is_other) for is_other in others])
    return torch.tensor(columns, dtype=torch.float64).T.to(torch.float32)


def restore(encoding, predicted):
    """What predictions say in their column's unit."""
    curve = encoding.get("curve")
    if curve == "rate":
        return encoding["std"] * predicted.exp()
    bent = encoding["mean"] + encoding["std"] * predicted
    if isinstance(curve, dict):
        knots = torch.tensor(curve["quantile"], dtype=torch.float64)
        place = torch.special.ndtr(bent) * (len(knots) - 1)
        below = place.floor().long().clamp(max=len(knots) - 2)
        return knots[below] + (place - below) * (knots[below + 1] - knots[below])
    return {None: bent, "log": bent.exp(), "log1p": bent.expm1()}[curve]


def main():
    run, data = sys.argv[1:3]
    awl = sys.argv[3] if len(sys.argv) > 3 else "target/release/awl"
    tensors, notes = read_safetensors(f"{run}/model.safetensors")
    learned = [name for name in LEARNED if f"awl.{name}" in tensors]
    model = Model(notes["network"], learned[0] if learned else None)
    model.load_state_dict(tensors, strict=True)
    model.eval()
    opened = gzip.open(data, "rt") if data.endswith(".gz") else open(data)
    rows = list(csv.DictReader(opened))
    answers = subprocess.run([awl, "predict", run, data], check=True, capture_output=True, text=True).stdout
    lines = list(csv.reader(io.StringIO(answers)))
    ours = torch.tensor([[float("nan") if not number(c) else float(c) for c in line] for line in lines[1:]], dtype=torch.float64)
    with torch.no_grad():
        theirs = model(features(notes["encoder"], rows))
    place, worst = 0, 0.0
    for target in notes["encoder"]["targets"]:
        [(kind, encoding)] = target["encoding"].items()
        predicted = theirs[target["name"]].double()
        answers = len(target["columns"])
        if kind == "numbers":
            restored = torch.stack([restore(it, predicted[:, at]) for at, it in enumerate(encoding)], 1)
            # Relative to the spread of numbers, of transformed ones to the largest.
            units = [restored[:, at].abs().max() if "curve" in it else it["std"] for at, it in enumerate(encoding)]
            units = torch.tensor(units, dtype=torch.float64)
            found, predicted = ours[:, place : place + answers] / units, restored / units
            place += answers
        else:
            width = len(encoding) if kind == "classes" else 2 * len(encoding)
            found = ours[:, place + answers : place + answers + width]
            place += answers + width
            if kind == "classes":
                predicted = predicted.softmax(1)
            else:
                predicted = torch.stack([1 - predicted.sigmoid(), predicted.sigmoid()], 2).flatten(1)
        error = (found - predicted).abs().max().item()
        print(f"{target['name']}: {len(rows)} rows, largest difference {error:.2e}")
        worst = max(worst, error)
    sys.exit(0 if worst <= 1e-5 else f"a difference of {worst:.2e} is above 1e-5")


def number(cell):
    try:
        float(cell)
        return True
    except ValueError:
        return False


main()
