"""Holds exported models against ONNX's own checker and against onnxruntime.

Usage: python3 tests/check_onnx.py DIRECTORY...        (pip install numpy onnx onnxruntime)

A directory holds model.onnx, data.csv with the columns that the model takes among others, and expected.json:
{"<output>": {"scale": x, "values": [[…], …]}}, a row of the table each; a scale for all columns, or one a column. Every
number must be within 1e-5 of its scale, and every text the same; the status is 1 where one is not. tests/truth/onnx.rs makes such directories.
"""

import csv
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5
NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def read_inputs(session, path):
    """The table's columns as the model takes them, shape [rows, 1]; NaN and "" where a cell is missing."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    inputs = {}
    for info in session.get_inputs():
        cells = [None if row[info.name] in ("", "NA") else row[info.name] for row in rows]
        if info.type in NUMBERS:
            column = np.array([np.nan if cell is None else float(cell) for cell in cells], NUMBERS[info.type])
        else:
            column = np.array(["" if cell is None else cell for cell in cells], object)
        inputs[info.name] = column[:, None]
    return inputs


def worst(found, expected, scale):
    """The largest error in units of the scale; for texts 1 if any differs."""
    expected = np.array(expected)
    if found.shape != expected.shape:
        return np.inf
    if found.dtype == object:
        return float((found != expected).any())
    error = np.abs(found.astype(float) - expected) / np.array(scale)
    return np.inf if np.isnan(error).any() else error.max()


def check(directory):
    model = onnx.load(str(directory / "model.onnx"))
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(directory / "model.onnx"), providers=["CPUExecutionProvider"])
    inputs = read_inputs(session, directory / "data.csv")
    names = [info.name for info in session.get_outputs()]
    described = [name for task in json.loads(session.get_modelmeta().custom_metadata_map["tasks"]) for name in task["outputs"]]
    expected = json.loads((directory / "expected.json").read_text(encoding="utf-8"))
    if names != described or set(names) != set(expected):
        sys.exit(f"{directory.name}: outputs {names}, metadata {described}, expected {list(expected)}")

    outputs = dict(zip(names, session.run(names, inputs)))
    first = dict(zip(names, session.run(names, {name: column[:1] for name, column in inputs.items()})))
    good = True
    for name in names:
        values, scale = expected[name]["values"], expected[name]["scale"]
        error = max(worst(outputs[name], values, scale), worst(first[name], values[:1], scale))
        good &= error <= TOLERANCE
        print(f"{directory.name:>8} {name:26} {outputs[name].dtype!s:8} {outputs[name].shape!s:10} off by {error:.1e}")
    return good


if __name__ == "__main__":
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    results = [check(pathlib.Path(directory)) for directory in sys.argv[1:]]
    sys.exit(0 if results and all(results) else 1)
