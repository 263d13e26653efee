#!/usr/bin/env python3
"""Trains with gaussian_nll and laplace_nll, and holds every step's loss and the last weights against PyTorch's.

    cargo build --release && python3 tests/compare_nll.py [target/release/awl]

Needs torch and safetensors. Two columns of one task, some rows without a label, beside a task of mse with equal weights; 120 steps of Adam from the
same first weights, in the table's order. The losses are torch.nn.GaussianNLLLoss with var = exp(s), for beta that of Seitzer et al. 2022 as
their code has it (the loss of each element times var.detach() ** beta, of which the value that we tell is the plain one), and of Laplace the
formula.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

ROWS, BATCH, EPOCHS = 96, 32, 40


def table(path):
    torch.manual_seed(0)
    x = torch.rand(ROWS, 3) * 2 - 1
    noise = torch.randn(ROWS, 2) * (0.1 + x[:, :1].abs())
    y = torch.stack([x[:, 0] * x[:, 1], x[:, 2]], 1) + noise
    z = x.sum(1, keepdim=True)
    lines = ["a,b,c,y0,y1,z"]
    for row in range(ROWS):
        labels = ["", ""] if row % 5 == 2 else [f"{v:.6f}" for v in y[row].tolist()]
        lines.append(",".join([f"{v:.6f}" for v in x[row].tolist()] + labels + [f"{z[row].item():.6f}"]))
    path.write_text("\n".join(lines) + "\n")
    numbers = [[float(cell) if cell else float("nan") for cell in line.split(",")] for line in lines[1:]]
    return torch.tensor(numbers)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh())
        self.heads = torch.nn.ModuleDict({"y": torch.nn.Linear(16, 4), "z": torch.nn.Linear(16, 1)})


def nll(name, beta, out, y):
    """The loss that is told, and the one whose gradient is taken."""
    mean, s = out.chunk(2, dim=1)
    if name == "laplace_nll":
        loss = (s + (mean - y).abs() * torch.exp(-s)).mean()
        return loss, loss
    var = torch.exp(s)
    each = torch.nn.GaussianNLLLoss(eps=1e-13, reduction="none")(mean, y, var)
    return each.mean(), (each * var.detach() ** beta).mean()


def theirs(data, first, name, beta):
    net = Net()
    net.load_state_dict(first, strict=True)
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(EPOCHS):
        for batch in data.split(BATCH):
            hidden = net.trunk(batch[:, :3])
            labelled = ~batch[:, 3].isnan()
            told, loss = nll(name, beta, net.heads["y"](hidden)[labelled], batch[labelled, 3:5])
            square = torch.nn.functional.mse_loss(net.heads["z"](hidden), batch[:, 5:])
            adam.zero_grad()
            (loss + square).backward()
            adam.step()
            losses.append((told.item(), square.item()))
    return losses, net.state_dict()


def ours(program, folder, name, beta):
    loss = f"{name}({beta})" if beta else name
    run = folder / "run"
    flags = f"--weighting equal --no-shuffle --no-standardize --validation 0 --epochs {EPOCHS} --batch-size {BATCH} --hidden 16 "
    flags += "--activation tanh --dropout 0 --optimizer adam --lr 3e-3 --log-every 1 --patience 0"
    command = [program, "train", "table.csv", "-t", f"y=y0,y1:{loss}", "-t", "z:mse", "--init", "first.safetensors", "--out", str(run)]
    done = subprocess.run(command + flags.split(), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    losses = [(it["losses"]["y"], it["losses"]["z"]) for it in lines if "total" in it]
    return losses, load_file(run / "model.safetensors")


def main():
    program = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/release/awl").resolve())
    worst = 0.0
    for name, beta in [("gaussian_nll", 0), ("gaussian_nll", 0.5), ("gaussian_nll", 1), ("laplace_nll", 0)]:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            data = table(folder / "table.csv")
            torch.manual_seed(1)
            first = Net().state_dict()
            save_file(first, folder / "first.safetensors")
            (expected, weights), (found, model) = theirs(data, first, name, beta), ours(program, folder, name, beta)
            if len(expected) != len(found):
                sys.exit(f"{name}: {len(found)} steps, not {len(expected)}")
            off = max(abs(a - b) / (1 + abs(b)) for x, y in zip(found, expected) for a, b in zip(x, y))
            apart = max((model[key] - value).abs().max().item() for key, value in weights.items())
            print(f"{name} beta {beta}: {len(found)} steps, losses within {off:.1e}, last weights within {apart:.1e}; the last loss is {found[-1][0]:.4f}")
            worst = max(worst, off, apart)
    if worst > 2e-3:
        sys.exit("that is too far")


if __name__ == "__main__":
    main()
