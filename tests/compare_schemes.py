#!/usr/bin/env python3
"""Holds the weights that our schemes make of losses and gradients against torchjd 0.18, LibMTL 1.1.5 and exact solvers.

    python3 -m venv venv && venv/bin/pip install torchjd==0.18.0 numpy scipy cvxpy clarabel quadprog qpsolvers ecos
    venv/bin/pip install --no-deps LibMTL==1.1.5     # it asks for PyTorch 1.8; its weightings need nothing of that
    cargo build --release --example schemes-ours
    venv/bin/python tests/compare_schemes.py [--problems 20] [--json FILE]

Losses and gradients are random, these in as many dimensions as 2K + 3, of lengths that differ by up to a factor of 20. A difference is that of two weights of a
task times the length of its gradient, beside the largest such part of the step: the largest of all tasks and problems. Each library is given
float64. What they draw at random, PCGrad's orders, is ours. Schemes that remember, or learn, are followed for 50 steps.

Printed is a table, and by --json the same for programs. Exit status 1 where a difference is larger than the row allows.
"""

import argparse
import importlib.util
import json
import random
import subprocess
import sys
import types
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)

# The package imports models that need old versions of others: its weightings alone are wanted.
package = types.ModuleType("LibMTL")
package.__path__ = list(importlib.util.find_spec("LibMTL").submodule_search_locations)
sys.modules["LibMTL"] = package

import cvxpy as cp  # noqa: E402
from LibMTL.weighting.DWA import DWA as LibDWA  # noqa: E402
from LibMTL.weighting.CAGrad import CAGrad as LibCAGrad  # noqa: E402
from LibMTL.weighting.GradNorm import GradNorm as LibGradNorm  # noqa: E402
from LibMTL.weighting.IMTL import IMTL as LibIMTL  # noqa: E402
from LibMTL.weighting.MGDA import MGDA as LibMGDA  # noqa: E402
from LibMTL.weighting.PCGrad import PCGrad as LibPCGrad  # noqa: E402
from LibMTL.weighting.GLS import GLS as LibGLS  # noqa: E402
from LibMTL.weighting.UW import UW as LibUW  # noqa: E402
from torchjd import aggregation as jd, scalarization as scalar  # noqa: E402

KEY = [3, 4]


def mix(x):
    """`data::permutation::mix`."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def order(tasks, i):
    """The order that PCGrad draws for task i."""
    word = lambda place: mix((mix((place + KEY[0] + i * 0x9E3779B9) & 0xFFFFFFFF) + KEY[1]) & 0xFFFFFFFF)
    words = [word(place) for place in range(tasks)]
    return [sorted(words).index(own) for own in words]


class Orders:
    """Hands out the orders of tasks 0, 1, … in place of random ones."""

    def __init__(self):
        self.next = 0

    def permutation(self, tasks):
        self.next += 1
        return torch.tensor(order(tasks, self.next - 1))

    def shuffle(self, items):
        items[:] = self.permutation(len(items)).tolist()


def of_torchjd(make):
    def weights(J, losses):
        orders = Orders()
        kept, torch.randperm = torch.randperm, orders.permutation
        try:
            found = []
            aggregator = make(len(J))
            hook = lambda _, __, weights: found.append(weights.detach().numpy())
            weighting = getattr(aggregator, "gramian_weighting", None) or aggregator.weighting
            weighting.register_forward_hook(hook)
            aggregator(torch.tensor(J))
            return found[0]
        finally:
            torch.randperm = kept

    return weights


def in_libmtl(scheme, J, losses):
    """A LibMTL weighting whose shared parameters have these gradients at these losses."""

    class Model(scheme):
        def get_share_params(self):
            return [self.theta]

        def zero_grad_share_params(self):
            self.theta.grad = torch.zeros_like(self.theta)

    model = Model()
    model.theta = torch.nn.Parameter(torch.zeros(J.shape[1]))
    model.task_num, model.device, model.rep_grad, model.epoch = len(J), torch.device("cpu"), False, 1
    model.task_name = [str(k) for k in range(len(J))]
    model.init_param()
    return model


def losses_of(model, J, losses):
    return torch.tensor(J) @ model.theta + torch.tensor(losses)


def of_libmtl(scheme, from_direction=False, **settings):
    def weights(J, losses):
        orders = Orders()
        kept, random.shuffle = random.shuffle, orders.shuffle
        try:
            model = in_libmtl(scheme, J, losses)
            found = model.backward(losses_of(model, J, losses), **settings)
        finally:
            random.shuffle = kept
        if from_direction:
            # What it returns is not what it multiplies by: the weights are those of the direction that it takes.
            direction = model.theta.grad.detach().numpy()
            found = np.linalg.lstsq(J.T, direction, rcond=None)[0]
        return np.array(found)

    return weights


def mgda_exactly(J, losses):
    lengths = np.linalg.norm(J, axis=1)
    u = cp.Variable(len(J), nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.sum_squares((J / lengths.max()).T @ u)), [cp.sum(u) == 1])
    problem.solve(cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return u.value


def upgrad_exactly(J, losses):
    G = J @ J.T
    G = G / np.trace(G) + 1e-4 * np.eye(len(J))
    root = np.linalg.cholesky(G)
    total = np.zeros(len(J))
    for i in range(len(J)):
        v = cp.Variable(len(J))
        problem = cp.Problem(cp.Minimize(cp.sum_squares(root.T @ v)), [v >= np.eye(len(J))[i] / len(J)])
        problem.solve(cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
        total += v.value
    return total


def cagrad_exactly(c):
    """The problem as it is first stated: the direction d of the ball along which the least gain is largest."""

    def weights(J, losses):
        scale = np.linalg.norm(J)
        U = J / scale
        mean = U.mean(axis=0)
        d = cp.Variable(J.shape[1])
        ball = cp.norm(d - mean) <= c * np.linalg.norm(mean)
        problem = cp.Problem(cp.Maximize(cp.min(U @ d)), [ball])
        problem.solve(cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13)
        return np.linalg.lstsq(J.T, scale * d.value, rcond=None)[0]

    return weights


def fairgrad_exactly(alpha, scale):
    """By a root finder of scipy, in logarithms."""
    from scipy.optimize import root

    def weights(J, losses):
        G = J @ J.T
        residual = lambda x: np.log(np.maximum(G @ np.exp(x), 1e-300)) + x / alpha
        start = np.log(np.diag(G)) * (-alpha / (1 + alpha))
        best = None
        for pull in np.linspace(0.0, 1.0, 21):
            # From gradients at right angles to these, so that each start is near its root.
            H = np.where(np.eye(len(J)) > 0, G, pull * G)
            step = lambda x: np.log(np.maximum(H @ np.exp(x), 1e-300)) + x / alpha
            best = root(step, start, method="lm", options={"xtol": 1e-15, "ftol": 1e-15})
            start = best.x
        assert np.abs(residual(start)).max() < 1e-8, residual(start)
        return np.exp(start) * scale(len(J))

    return weights


ANY = (2, 3, 5, 8, 16)
# Name, settings, who, their weights, tasks, what is allowed, why it is no less.
ROWS = [
    ("mgda", {}, "torchjd", of_torchjd(lambda _: jd.MGDA(epsilon=1e-12, max_iters=20_000)), ANY, 5e-2, "Frank-Wolfe, 20,000 rounds"),
    ("mgda", {}, "LibMTL", of_libmtl(LibMGDA, mgda_gn="none"), (2, 3, 5), 1e-1, "projected gradients; within 0.001 of a vertex it stops"),
    ("mgda", {}, "clarabel", mgda_exactly, ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("pcgrad", {}, "torchjd", of_torchjd(lambda _: jd.PCGrad()), ANY, 1e-9, ""),
    ("pcgrad", {}, "LibMTL", of_libmtl(LibPCGrad, from_direction=True), ANY, 1e-9, ""),
    ("cagrad", {"c": 0.5, "rescale": 0.0}, "torchjd", of_torchjd(lambda _: jd.CAGrad(c=0.5)), ANY, 1e-3, "clarabel's usual tolerance"),
    ("cagrad", {"c": 0.4, "rescale": 0.0}, "torchjd", of_torchjd(lambda _: jd.CAGrad(c=0.4)), ANY, 1e-3, "clarabel's usual tolerance"),
    ("cagrad", {"c": 0.5, "rescale": 0.0}, "clarabel", cagrad_exactly(0.5), ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("cagrad", {"c": 0.5, "rescale": 1.0}, "LibMTL", of_libmtl(LibCAGrad, from_direction=True, calpha=0.5, rescale=1), (3,), 1e-2, "SLSQP's tolerance; K = 3 is all that it takes"),
    ("imtl-g", {}, "torchjd", of_torchjd(lambda _: jd.IMTLG()), ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("imtl-g", {}, "LibMTL", of_libmtl(LibIMTL), ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("fairgrad", {"alpha": 1.0}, "torchjd", of_torchjd(lambda _: jd.FairGrad(alpha=1.0)), (2, 3, 5), 5e-2, "least_squares from 1/K, tolerance 1e-8 of the cost"),
    ("fairgrad", {"alpha": 2.0}, "torchjd", of_torchjd(lambda _: jd.FairGrad(alpha=2.0)), (2, 3, 5), 5e-2, "least_squares from 1/K, tolerance 1e-8 of the cost"),
    ("fairgrad", {"alpha": 1.0}, "scipy.root", fairgrad_exactly(1.0, lambda _: 1.0), ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("fairgrad", {"alpha": 2.0}, "scipy.root", fairgrad_exactly(2.0, lambda _: 1.0), ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("nash-mtl", {}, "torchjd", of_torchjd(lambda tasks: jd.NashMTL(n_tasks=tasks)), (2, 3, 5), 1.0, "20 rounds of an approximation by ECOS, which may not get there"),
    ("nash-mtl", {}, "scipy.root", fairgrad_exactly(1.0, lambda tasks: tasks**-0.5), ANY, 1e-4, "ours has the ridge of 1e-6"),
    ("aligned-mtl", {}, "torchjd", of_torchjd(lambda _: jd.AlignedMTL()), ANY, 1e-9, ""),
    ("upgrad", {}, "torchjd", of_torchjd(lambda _: jd.UPGrad()), ANY, 1e-6, "quadprog's tolerance"),
    ("upgrad", {}, "clarabel", upgrad_exactly, ANY, 1e-4, "clarabel's tolerance"),
]


class Ours:
    def __init__(self, program):
        self.program = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, name, losses, J=None, settings=None, part="weights", **more):
        problem = {"losses": list(losses), "settings": {name: settings or {}}, "key": KEY} | more
        if J is not None:
            problem["gram"] = (J @ J.T).tolist()
        self.program.stdin.write(json.dumps(problem) + "\n")
        self.program.stdin.flush()
        return np.array(json.loads(self.program.stdout.readline())[name][part])


def difference(J, ours, theirs):
    lengths = np.linalg.norm(J, axis=1)
    scale = np.abs(theirs * lengths).max()
    return (np.abs(np.array(ours) - theirs) * lengths).max() / scale


def gradients(draw, tasks):
    return draw.normal(size=(tasks, 2 * tasks + 3)) * np.exp(draw.uniform(0, 3, size=(tasks, 1)))


def apart(ours, theirs):
    """The largest difference, beside the largest number."""
    return np.abs(np.array(ours) - np.array(theirs)).max() / np.abs(np.array(theirs)).max()


def slopes(scalarizer, losses):
    """A scalarizer's weights: its gradient for the losses."""
    losses = torch.tensor(losses, requires_grad=True)
    return torch.autograd.grad(scalarizer(losses), losses)[0].numpy()


def gradnorm(ours, draw, tasks):
    """LibMTL's GradNorm."""
    first, model = draw.uniform(0.5, 3, tasks), None
    for step in range(STEPS):
        J, losses = gradients(draw, tasks), first * np.exp(-0.02 * step * draw.uniform(0, 1, tasks))
        if model is None:
            model = in_libmtl(LibGradNorm, J, losses)
            model.train_loss_buffer = np.array(first)[:, None]
            optimizer = torch.optim.Adam([model.loss_scale], lr=0.025)
        optimizer.zero_grad()
        model.theta.grad = None
        theirs = model.backward(losses_of(model, J, losses), alpha=1.5)
        optimizer.step()
        yield difference(J, ours("gradnorm", losses, J, goes_on=step > 0), theirs)


def famo(ours, draw, tasks):
    scalarizer = scalar.FAMO(tasks)
    losses = draw.uniform(0.5, 3, tasks)
    for step in range(STEPS):
        then = losses * np.exp(draw.normal(-0.02, 0.05, tasks))
        theirs = slopes(scalarizer, losses)
        scalarizer.update(torch.tensor(then))
        yield apart(ours("famo", losses, then=list(then), goes_on=step > 0), theirs)
        losses = then


def dwa(ours, draw, tasks):
    """Epochs of three steps."""
    scalarizer, model = scalar.DWA(), in_libmtl(LibDWA, np.eye(tasks), np.ones(tasks))
    model.train_loss_buffer, sums = np.zeros((tasks, STEPS)), np.zeros(tasks)
    for step in range(STEPS):
        losses, ends = draw.uniform(0.5, 3, tasks), step % 3 == 2
        model.epoch = step // 3
        theirs = slopes(scalarizer, losses)
        libmtl = model.backward(losses_of(model, np.eye(tasks), losses), T=2.0)
        found = ours("dwa", losses, ends_epoch=ends, goes_on=step > 0)
        yield max(apart(found, theirs), apart(found, libmtl))
        sums += losses
        if ends:
            scalarizer.step()
            model.train_loss_buffer[:, model.epoch], sums = sums / 3, np.zeros(tasks)


def stch(ours, draw, tasks):
    """TorchJD's of ln L/n, times K, after a first epoch of three steps with the sum of the logarithms."""
    means = np.zeros(tasks)
    for step in range(STEPS):
        losses = draw.uniform(0.5, 3, tasks)
        found = ours("stch", losses, ends_epoch=step == 2, goes_on=step > 0)
        smooth = scalar.STCH(mu=1.0, weights=torch.ones(tasks))
        if step < 3:
            means += losses / 3
            theirs = 1 / losses
        else:
            theirs = slopes(lambda L: tasks * smooth(torch.log(L / torch.tensor(means))), losses)
        yield apart(found, theirs)


def geometric(ours, draw, tasks):
    losses = draw.uniform(0.1, 3, tasks)
    model = in_libmtl(LibGLS, np.eye(tasks), losses)
    model.backward(losses_of(model, np.eye(tasks), losses))
    # What it returns is another number than it uses.
    libmtl = model.theta.grad.numpy()
    found = ours("geometric", losses)
    yield max(apart(found, slopes(scalar.GeometricMean(), losses)), apart(found, libmtl))


def learned(name, make, parameter, settings=None):
    """Weights and slopes of what is learned, at random places."""

    def steps(ours, draw, tasks):
        losses, s = draw.uniform(0.1, 3, tasks), draw.normal(size=tasks)
        scalarizer = make(tasks)
        with torch.no_grad():
            getattr(scalarizer, parameter).copy_(torch.tensor(s))
        theirs = slopes(scalarizer, losses)
        scalarizer(torch.tensor(losses)).backward()
        slope = getattr(scalarizer, parameter).grad.numpy()
        find = lambda part: ours(name, losses, settings=settings, part=part, parameters=list(s))
        yield max(apart(find("weights"), theirs), apart(find("gradients"), slope))

    return steps


def uncertainty_of_libmtl(ours, draw, tasks):
    losses = draw.uniform(0.1, 3, tasks)
    model = in_libmtl(LibUW, np.eye(tasks), losses)
    theirs = model.backward(losses_of(model, np.eye(tasks), losses))
    find = lambda part: ours("uncertainty", losses, settings={"start": -0.5}, part=part)
    yield max(apart(find("weights"), theirs), apart(find("gradients"), model.loss_scale.grad.numpy()))


STEPS = 50
# Name, who, the differences of a run, what is allowed.
RUNS = [
    ("gradnorm", "LibMTL", gradnorm, 1e-9),
    ("uncertainty", "torchjd", learned("uncertainty", scalar.UW, "log_var"), 1e-9),
    ("uncertainty", "LibMTL", uncertainty_of_libmtl, 1e-9),
    ("imtl-l", "torchjd", learned("imtl-l", scalar.IMTLL, "log_scale"), 1e-9),
    ("geometric", "both", geometric, 1e-9),
    ("dwa", "both", dwa, 1e-9),
    ("stch", "torchjd", stch, 1e-9),
    ("famo", "torchjd", famo, 1e-6),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--ours", default="target/release/examples/schemes-ours")
    parser.add_argument("--json", help="a file for the table")
    options = parser.parse_args()
    ours = Ours(options.ours)
    table, failed = [], False
    print(f"{'scheme':12} {'settings':24} {'beside':11} {'tasks':16} {'median':>8} {'worst':>8}  allowed")
    for name, settings, who, solve, sizes, allowed, why in ROWS:
        found = []
        example = [(np.array([[-4.0, 1, 1], [6, 1, 1]]), np.array([1.0, 2.0]))] if 2 in sizes else []
        draws = [np.random.default_rng([7, tasks, number]) for tasks in sizes for number in range(options.problems)]
        sized = [tasks for tasks in sizes for _ in range(options.problems)]
        for J, losses in example + [(gradients(draw, tasks), draw.uniform(0.1, 3, tasks)) for draw, tasks in zip(draws, sized)]:
            found.append(difference(J, ours(name, losses, J, settings), solve(J, losses)))
        row = dict(scheme=name, settings=settings, beside=who, tasks=sizes, median=float(np.median(found)), worst=max(found), allowed=allowed, why=why)
        table.append(row)
    for name, who, run, allowed in RUNS:
        sizes = (2, 3, 5, 8, 16)
        found = [max(run(ours, np.random.default_rng([9, tasks, number]), tasks)) for tasks in sizes for number in range(options.problems)]
        table.append(dict(scheme=name, settings={}, beside=who, tasks=sizes, median=float(np.median(found)), worst=max(found), allowed=allowed, why=""))
    for row in table:
        failed |= not row["worst"] <= row["allowed"]
        settings = ", ".join(f"{key} {value:g}" for key, value in row["settings"].items())
        tasks = ", ".join(map(str, row["tasks"]))
        reason = f" ({row['why']})" if row["why"] else ""
        print(f"{row['scheme']:12} {settings:24} {row['beside']:11} {tasks:16} {row['median']:8.1e} {row['worst']:8.1e}  {row['allowed']:g}{reason}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(table, file, indent=1)
    sys.exit(failed)


main()
