#!/usr/bin/env python3
"""Makes two_heads_scheduled.safetensors with PyTorch: AdamW, a warm-up before cosine annealing, clipping by norm.

Needs torch and safetensors; run in this folder: python3 two_heads_scheduled.py
"""

import json

import torch
from safetensors.torch import save_file
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

CONFIG = {
    "d": 6, "h": 20, "c": 3, "n": 90, "batch": 25, "steps": 70, "lr": 0.01, "wd": 0.1, "scale": 3.0,
    "reg": "mse", "cls": "ce", "decoupled": True, "warm_up": 10, "cosine": 60, "clip": 1.5,
}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        d, h, c = CONFIG["d"], CONFIG["h"], CONFIG["c"]
        linear, relu = torch.nn.Linear, torch.nn.ReLU
        self.trunk = torch.nn.Sequential(linear(d, h), relu(), linear(h, h), relu())
        self.heads = torch.nn.ModuleList([linear(h, 1), linear(h, c)])

    def forward(self, x):
        x = self.trunk(x)
        return self.heads[0](x), self.heads[1](x)


def single(tensor):
    """Rounded to what the file holds."""
    return tensor.detach().to(torch.float32).clone().contiguous()


def main():
    torch.manual_seed(7)
    rows, batch, steps = CONFIG["n"], CONFIG["batch"], CONFIG["steps"]
    x = torch.randn(rows, CONFIG["d"])
    y0 = CONFIG["scale"] * (x[:, :1].sin() + x[:, 1:2] * x[:, 2:3])
    y1 = (x[:, 3:] + 0.3 * torch.randn(rows, 3)).argmax(1)
    model = Model()
    saved = {"x": x, "y0": y0, "y1": y1.to(torch.int32)}
    saved |= {f"init.{name}": single(p) for name, p in model.named_parameters()}
    # What the file holds is what is computed with, in float64.
    model.double()
    x, y0 = x.double(), y0.double()
    sigma = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer = torch.optim.AdamW(
        [{"params": model.parameters()}, {"params": [sigma], "weight_decay": 0}],
        lr=CONFIG["lr"], weight_decay=CONFIG["wd"],
    )
    warm_up = CONFIG["warm_up"]
    warming = LinearLR(optimizer, 1 / warm_up, 1, total_iters=warm_up - 1)
    cosine = CosineAnnealingLR(optimizer, CONFIG["cosine"])
    scheduler = SequentialLR(optimizer, [warming, cosine], [warm_up])
    series = {name: [] for name in ["losses", "total", "sigma_before_step", "norms", "learning_rates"]}
    batches = -(-rows // batch)
    for step in range(steps):
        part = slice(step % batches * batch, (step % batches + 1) * batch)
        value, kind = model(x[part])
        losses = torch.stack([
            torch.nn.functional.mse_loss(value, y0[part]),
            torch.nn.functional.cross_entropy(kind, y1[part]),
        ])
        total = (0.5 / sigma**2 * losses + (1 + sigma**2).log()).sum()
        optimizer.zero_grad()
        total.backward()
        if step == 0:
            saved |= {f"grad0.{name}": single(p.grad) for name, p in model.named_parameters()}
            saved["grad0.sigma"] = single(sigma.grad)
        series["losses"].append(losses.detach())
        series["total"].append(total.detach())
        series["sigma_before_step"].append(sigma.detach().clone())
        series["norms"].append(clip_grad_norm_(model.parameters(), CONFIG["clip"]))
        series["learning_rates"].append(torch.tensor(optimizer.param_groups[1]["lr"], dtype=torch.float64))
        optimizer.step()
        scheduler.step()
    saved |= {name: single(torch.stack(values)) for name, values in series.items()}
    saved |= {f"final.{name}": single(p) for name, p in model.named_parameters()}
    saved["final.sigma"] = single(sigma)
    metadata = {"config": json.dumps(CONFIG), "torch": torch.__version__}
    save_file(saved, "two_heads_scheduled.safetensors", metadata)
    clipped = int((saved["norms"] > CONFIG["clip"]).sum())
    print(f"{clipped} of {steps} steps clipped; losses {losses.tolist()}, sigma {sigma.tolist()}")


main()
