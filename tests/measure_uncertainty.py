#!/usr/bin/env python3
"""Measures what docs/uncertainty.md says: python3 tests/measure_uncertainty.py [ignorance] [coverage] [ensembles] --data FOLDER [--awl PROGRAM]

ignorance  how the ignorance of 32 networks falls from 1,000 to 4,000 rows: linear ones on a line, and of 32 units on sin(3x) (5 seeds)
coverage   how many test rows intervals of 90 % hold, plain and calibrated: diamonds' price, and 2,930 rows of it (as many as the Ames houses)
ensembles  the test loss of 8 networks together against each alone, on three tables (5 seeds, t intervals), and the time of 8 against 1
FOLDER has penguins/penguins.csv, diamonds/diamonds.csv.gz and portal_rodents/complete.csv.gz.
"""

import argparse
import csv
import gzip
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

SEEDS = [1, 2, 3, 4, 5]
T_95_OF_5 = 2.776


def awl(arguments, *words):
    done = subprocess.run([arguments.awl, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")
    return done.stdout


def interval(values):
    half = T_95_OF_5 * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.mean(values):.4f} ± {half:.4f}"


def ignorance(arguments, folder):
    for name, hidden, truth in [("a line", "", lambda x: 0.7 * x), ("a wave", "32", lambda x: math.sin(3 * x))]:
        ratios = []
        for seed in SEEDS:
            mean = {}
            for rows in [1000, 4000]:
                random.seed(100 * seed + rows)
                xs = [random.uniform(-1, 1) for _ in range(rows)]
                lines = [f"{x:.6f},{truth(x) + random.gauss(0, 0.3):.6f}" for x in xs]
                (folder / "t.csv").write_text("x,y\n" + "\n".join(lines) + "\n")
                (folder / "grid.csv").write_text("x\n" + "\n".join(f"{i / 50 - 1}" for i in range(101)) + "\n")
                flags = f"--epochs 100 --bootstrap --members 32 --dropout 0 --seed {seed} --lr 5e-3 --schedule cosine --validation 0"
                words = ["-t", "y", f"--hidden={hidden}", "--batch-size", rows // 20, *flags.split()]
                run = folder / f"run{hidden}-{seed}-{rows}"
                awl(arguments, "train", folder / "t.csv", *words, "--out", run)
                answers = csv.DictReader(awl(arguments, "predict", run, folder / "grid.csv").splitlines())
                mean[rows] = statistics.mean(float(row["y.ignorance_sd"]) for row in answers)
            ratios.append(mean[4000] / mean[1000])
            print(f"{name}, seed {seed}: ignorance {mean[1000]:.4f} of 1,000 rows, {mean[4000]:.4f} of 4,000", flush=True)
        print(f"{name}: ratio {interval(ratios)} (a half by 1/sqrt(n))", flush=True)


def coverage(arguments, folder):
    lines = gzip.open(arguments.data / "diamonds/diamonds.csv.gz", "rt").read().splitlines()
    random.seed(0)
    (folder / "all.csv").write_text("\n".join(lines) + "\n")
    (folder / "few.csv").write_text("\n".join([lines[0], *random.sample(lines[1:], 2930)]) + "\n")
    for name, flags in [("few", "--epochs 60"), ("all", "--epochs 6 --batch-size 256")]:
        for loss in ["mse", "gaussian_nll"]:
            plain, calibrated = [], []
            for seed in SEEDS:
                run = folder / f"{name}-{loss}-{seed}"
                words = f"--hidden 32,32 --members 4 --seed {seed} --json {flags}".split()
                found = json.loads(awl(arguments, "train", folder / f"{name}.csv", "-t", f"price:{loss}", *words, "--out", run))
                of = next(it for it in found["calibration"][0]["coverage"] if it["level"] == 0.9)
                plain.append(100 * of["share"])
                calibrated.append(100 * of["calibrated"])
            print(f"diamonds, {name}, {loss}: 90 % intervals hold {interval(plain)} %, calibrated {interval(calibrated)} %: "
                  f"{', '.join(f'{it:.1f}' for it in calibrated)}", flush=True)


def ensembles(arguments, folder):
    for table, tasks, flags in [
        ("penguins/penguins.csv", ["species", "body_mass_g", "sex"], "--epochs 150"),
        ("diamonds/diamonds.csv.gz", ["price", "cut", "depth"], "--hidden 32,32 --epochs 8 --batch-size 256"),
        ("portal_rodents/complete.csv.gz", ["weight", "species_id", "sex"], "--hidden 32,32 --epochs 8 --batch-size 256"),
    ]:
        if arguments.table not in table:
            continue
        better = {task: [] for task in tasks}
        for seed in SEEDS:
            run = folder / f"{table.split('/')[0]}-{seed}"
            words = [word for task in tasks for word in ["-t", task]] + flags.split()
            words += ["--members", "8", "--seed", str(10 * seed), "--json", "--out", run]
            found = json.loads(awl(arguments, "train", arguments.data / table, *words))
            for task in tasks:
                alone = [it["parts"]["test"][task]["loss"] for it in found["members"]]
                better[task].append(statistics.mean(alone) - found["parts"]["test"][task]["loss"])
        took = {}
        for members in [1, 8]:
            start = time.time()
            words = [word for task in tasks for word in ["-t", task]] + flags.split() + ["--patience", "0"]
            awl(arguments, "train", arguments.data / table, *words, "--members", members, "--out", folder / f"{table.split('/')[0]}-t{members}")
            took[members] = time.time() - start
        for task, values in better.items():
            print(f"{table} {task}: test loss of one network less that of 8 together {interval(values)}", flush=True)
        print(f"{table}: {took[1]:.1f} s for one network, {took[8]:.1f} s for eight", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--awl", default="target/release/awl")
    parser.add_argument("--table", default="", help="of ensembles: only tables whose name holds this")
    arguments = parser.parse_args()
    parts = {"ignorance": ignorance, "coverage": coverage, "ensembles": ensembles}
    for name in arguments.what or parts:
        with tempfile.TemporaryDirectory() as folder:
            parts[name](arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
