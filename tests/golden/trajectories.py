#!/usr/bin/env python3
"""Makes the files of CASES with PyTorch in float64: NAME.safetensors, whole trainings in all that a recipe can say.

Needs torch and safetensors; run in this folder: python3 trajectories.py [NAME ...]
The order of the rows and the units that are dropped follow the library's documentation, by draws.py.
"""

import json
import sys

import torch
from safetensors.torch import save_file
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR, StepLR

import draws

# Numbers that f32 must hold are sums of a few powers of 2. `missing` is the share of a task's rows without a label.
ADAM = {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "decoupled": False}
PLAIN = {
    "features": 3, "hidden": [8], "activation": "tanh", "dropout": 0.0, "rows": 40, "batch": 12, "steps": 40, "seed": 0,
    "shuffle": False, "network": ADAM, "sigma_group": ADAM, "schedule": {}, "clip": None,
}


def task(name, loss, width=1, missing=0.0):
    return {"name": name, "loss": loss, "width": width, "missing": missing}


def classes(name, width, smoothing=0.0, weights=None, missing=0.0):
    return task(name, {"cross_entropy": {"label_smoothing": smoothing, "class_weights": weights}}, width, missing)


CASES = {
    # K = 1, GELU, AdamW and a cosine after a warm-up, to its end.
    "binary": {
        "tasks": [task("yes", "bce")], "activation": "gelu", "hidden": [7, 6], "weighting": {"sigma": [0.75]},
        "network": ADAM | {"lr": 0.02, "weight_decay": 0.25, "decoupled": True},
        "sigma_group": ADAM | {"lr": 0.005, "weight_decay": 0.5, "decoupled": True},
        "schedule": {"warm_up": 6, "cosine": 33}, "steps": 40,
    },
    # K = 3, several columns each, SiLU, labels missing, gradients clipped, rates that fall, groups that share nothing.
    "robust": {
        "tasks": [
            task("far", "mae", 2, missing=0.25), task("near", {"huber": {"delta": 0.5}}, 3, missing=0.5),
            task("square", "mse", 2),
        ],
        "activation": "silu", "weighting": {"sigma": [1.0, 0.5, 1.5]}, "clip": 0.375,
        "network": ADAM | {"betas": [0.8, 0.99], "eps": 1e-3, "weight_decay": 0.125},
        "sigma_group": ADAM | {"lr": 0.03, "betas": [0.7, 0.95], "eps": 0.02, "weight_decay": 0.25},
        "schedule": {"warm_up": 3, "every": 9, "factor": 0.5},
    },
    # K = 6, every loss, smoothing and class weights, labels missing up to whole batches, dropout, a new order each epoch.
    "everything": {
        "tasks": [
            task("a", "mse", 2, missing=0.5), task("b", "mae"), task("c", {"huber": {"delta": 0.75}}, 2, missing=0.75),
            task("d", "bce", 3, missing=0.25), classes("e", 3, smoothing=0.125, missing=0.9),
            classes("f", 4, smoothing=0.25, weights=[0.5, 2.0, 1.0, 1.25], missing=0.25),
        ],
        "hidden": [9, 7], "dropout": 0.25, "shuffle": True, "seed": 2**63 + 41, "rows": 37, "batch": 8,
        "weighting": {"sigma": [1.0, 1.25, 0.75, 1.0, 0.5, 2.0]}, "sigma_group": ADAM | {"lr": 0.02},
    },
    # Class weights alone make the normalisers, which a new order changes; more rows than are ordered by rank.
    "shuffled_classes": {
        "tasks": [classes("kind", 3, weights=[0.25, 1.0, 4.0]), task("size", "mse")], "activation": "relu",
        "rows": 300, "batch": 80, "shuffle": True, "seed": 5, "weighting": {"sigma": [1.0, 1.0]},
    },
    # Masks alone do, of few rows.
    "shuffled_masks": {
        "tasks": [task("size", "mse", 2, missing=0.5), classes("kind", 3, smoothing=0.125)], "activation": "silu",
        "rows": 23, "batch": 5, "shuffle": True, "seed": 1, "weighting": {"fixed": [0.25, 2.0]},
        "network": ADAM | {"weight_decay": 0.0625},
    },
    # Two layers of dropout, K = 3, under a clip.
    "dropped": {
        "tasks": [task("size", "mse"), task("yes", "bce", 2), classes("kind", 4)], "activation": "gelu",
        "hidden": [12, 10], "dropout": 0.5, "seed": 2**40 + 3, "clip": 0.75, "weighting": {"sigma": [1.0, 1.0, 1.0]},
    },
}


class Model(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        activation = {
            "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU,
        }[config["activation"]]
        widths = [config["features"], *config["hidden"]]
        pairs = [[torch.nn.Linear(i, o), activation()] for i, o in zip(widths, widths[1:])]
        self.trunk = torch.nn.Sequential(*sum(pairs, []))
        heads = {task["name"]: torch.nn.Linear(widths[-1], task["width"]) for task in config["tasks"]}
        self.heads = torch.nn.ModuleDict(heads)

    def forward(self, x, factors):
        """Predictions by task; `factors` are what each layer's activations [rows, width] are multiplied by."""
        for index in range(0, len(self.trunk), 2):
            x = self.trunk[index + 1](self.trunk[index](x)) * factors[index // 2]
        return {name: head(x) for name, head in self.heads.items()}


def single(tensor):
    """Rounded to what the file holds."""
    return tensor.detach().to(torch.float32).clone().contiguous()


def target(task, x):
    """Numbers [rows, width] or classes [rows] that the features tell something of."""
    mixed = x @ torch.randn(x.shape[1], task["width"]) + 0.5 * torch.randn(len(x), task["width"])
    if "cross_entropy" in task["loss"]:
        return mixed.argmax(1).to(torch.int32)
    if task["loss"] == "bce":
        # Some labels are soft.
        return (mixed > 0).float() * torch.where(torch.rand(mixed.shape) < 0.1, 0.5, 1.0)
    return single(2 * mixed.sin() + mixed)


def mean_loss(task, predictions, y):
    """PyTorch's own loss of the labelled rows."""
    loss = task["loss"]
    if loss == "mse":
        return functional.mse_loss(predictions, y)
    if loss == "mae":
        return functional.l1_loss(predictions, y)
    if loss == "bce":
        return functional.binary_cross_entropy_with_logits(predictions, y)
    if "huber" in loss:
        return functional.huber_loss(predictions, y, delta=loss["huber"]["delta"])
    options = loss["cross_entropy"]
    weights = options["class_weights"] and torch.tensor(options["class_weights"], dtype=torch.float64)
    smoothing = options["label_smoothing"]
    return functional.cross_entropy(predictions, y.long(), weight=weights, label_smoothing=smoothing)


def optimizer_of(config, model, sigma):
    """Adam or AdamW with σ in a group of its own, and its scheduler."""
    groups = []
    for parameters, group in [(model.parameters(), config["network"]), (sigma, config["sigma_group"])]:
        options = {key: value for key, value in group.items() if key != "decoupled"}
        groups.append({"params": list(parameters)} | options)
    kind = torch.optim.AdamW if config["network"]["decoupled"] else torch.optim.Adam
    optimizer = kind(groups if sigma else groups[:1])
    plan = config["schedule"]
    if not plan:
        return optimizer, None
    warm_up = plan["warm_up"]
    warming = LinearLR(optimizer, 1 / warm_up, 1, total_iters=warm_up - 1)
    if "cosine" in plan:
        falling = CosineAnnealingLR(optimizer, plan["cosine"])
    else:
        falling = StepLR(optimizer, plan["every"], plan["factor"])
    return optimizer, SequentialLR(optimizer, [warming, falling], [warm_up])


def batch_of(config, step):
    """The rows of a step, counted from 1."""
    rows, batch = config["rows"], config["batch"]
    epoch, index = divmod(step - 1, -(-rows // batch))
    order = draws.order(rows, config["seed"], epoch) if config["shuffle"] else range(rows)
    return list(order[index * batch:(index + 1) * batch])


def factors_of(config, step, rows):
    """What dropout multiplies each layer's activations by, [rows, width] a layer."""
    factors, place, inputs = [], 0, config["features"]
    for width in config["hidden"]:
        place += inputs * width  # where the layer's bias starts among the parameters
        units = range(place, place + width)
        layer = [[draws.factor(config["dropout"], config["seed"], step, r, u) for u in units] for r in range(rows)]
        factors.append(torch.tensor(layer, dtype=torch.float64))
        place, inputs = place + width, width
    return factors


def weighted_sum(config, losses, sigma):
    """The total of the tasks that have a loss."""
    if not sigma:
        return sum(w * loss for w, loss in zip(config["weighting"]["fixed"], losses) if loss is not None)
    pairs = [(loss, s) for loss, s in zip(losses, sigma) if loss is not None]
    return sum(0.5 / s**2 * loss + (1 + s**2).log() for loss, s in pairs)


def series_of(config, model, sigma, x, targets, masks, saved):
    """Trains; what each step saw."""
    optimizer, scheduler = optimizer_of(config, model, sigma)
    series = {name: [] for name in ["losses", "total", "sigma_before_step", "norms", "learning_rates"]}
    none = torch.tensor(float("nan"), dtype=torch.float64)
    for step in range(1, config["steps"] + 1):
        rows = batch_of(config, step)
        predictions = model(x[rows], factors_of(config, step, len(rows)))
        losses = []
        for task in config["tasks"]:
            name = task["name"]
            there = masks[name][rows]
            labelled = (predictions[name][there], targets[name][rows][there])
            losses.append(mean_loss(task, *labelled) if there.any() else None)
        total = weighted_sum(config, losses, sigma)
        optimizer.zero_grad()
        total.backward()
        for p in model.parameters():
            # A head without labels has a gradient of 0 here, and none in PyTorch; a σ without labels has none in both.
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        series["losses"].append(torch.stack([none if loss is None else loss.detach() for loss in losses]))
        series["total"].append(total.detach())
        series["sigma_before_step"].append(torch.stack([s.detach().clone() for s in sigma]) if sigma else torch.zeros(0))
        norm = clip_grad_norm_(model.parameters(), config["clip"] or float("inf"))
        series["norms"].append(norm)
        series["learning_rates"].append(torch.tensor(optimizer.param_groups[0]["lr"], dtype=torch.float64))
        if step == 1:
            saved |= {f"grad0.{name}": single(p.grad) for name, p in model.named_parameters()}
            grads = [torch.zeros(()) if s.grad is None else s.grad for s in sigma]
            saved["grad0.sigma"] = single(torch.stack(grads)) if sigma else torch.zeros(len(losses))
        optimizer.step()
        if scheduler:
            scheduler.step()
    return series


def make(name, config):
    torch.manual_seed(len(name))
    x = torch.randn(config["rows"], config["features"])
    targets = {task["name"]: target(task, x) for task in config["tasks"]}
    masks = {task["name"]: torch.rand(config["rows"]) >= task["missing"] for task in config["tasks"]}
    model = Model(config)
    saved = {"x": x} | {f"y.{key}": y for key, y in targets.items()}
    saved |= {f"mask.{key}": mask.to(torch.uint8) for key, mask in masks.items()}
    saved |= {f"init.{key}": single(p) for key, p in model.named_parameters()}
    # What the file holds is what is computed with, in float64.
    model.double()
    doubles = {key: y if y.dtype == torch.int32 else y.double() for key, y in targets.items()}
    start = config["weighting"].get("sigma", [])
    sigma = [torch.nn.Parameter(torch.tensor(s, dtype=torch.float64)) for s in start]
    series = series_of(config, model, sigma, x.double(), doubles, masks, saved)
    if not sigma:
        del series["sigma_before_step"]
    saved |= {key: single(torch.stack(values)) for key, values in series.items()}
    saved |= {f"final.{key}": single(p) for key, p in model.named_parameters()}
    saved["final.sigma"] = single(torch.stack(sigma)) if sigma else torch.tensor(config["weighting"]["fixed"])
    save_file(saved, f"{name}.safetensors", {"config": json.dumps(config), "torch": torch.__version__})
    clipped = int((saved["norms"] > (config["clip"] or float("inf"))).sum())
    absent = int(saved["losses"].isnan().sum())
    print(f"{name}: {clipped} of {config['steps']} steps clipped, {absent} losses absent; last {losses_of(saved)}")


def losses_of(saved):
    return [round(loss, 4) for loss in saved["losses"][-1].tolist()]


for name in sys.argv[1:] or CASES:
    make(name, PLAIN | CASES[name])
