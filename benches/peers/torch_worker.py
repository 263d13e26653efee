"""PyTorch's worker: `torch_worker.py eager|compiled WORKLOAD…`. The step is the original program's."""

import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from worker import Inputs, serve

MODE = sys.argv[1]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def convert(data, dtype, shape):
    tensor = torch.frombuffer(bytearray(data), dtype=getattr(torch, dtype)).reshape(shape)
    return tensor.to(DEVICE)


class Network(nn.Module):
    def __init__(self, layers):
        super().__init__()
        (first, second, (weight, bias)) = layers
        self.trunk = nn.Sequential(linear(*first), nn.ReLU(), linear(*second), nn.ReLU())
        self.value = linear(weight[:1], bias[:1])
        self.kind = linear(weight[1:], bias[1:])

    def forward(self, features):
        hidden = self.trunk(features)
        return self.value(hidden), self.kind(hidden)


def linear(weight, bias):
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs, device=DEVICE)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


class AutomaticWeightedLoss(nn.Module):
    def __init__(self, tasks):
        super().__init__()
        self.sigma = nn.Parameter(torch.ones(tasks, device=DEVICE))

    def forward(self, *losses):
        total = 0
        for loss, sigma in zip(losses, self.sigma):
            total = total + 0.5 / sigma**2 * loss + torch.log(1 + sigma**2)
        return total


def main():
    inputs = Inputs(sys.argv[2:], convert)
    features, value, kind = inputs.features, inputs.value, inputs.kind.long()
    model, weighting = Network(inputs.layers), AutomaticWeightedLoss(2)
    groups = [{"params": model.parameters()}, {"params": weighting.parameters(), "weight_decay": 0}]
    optimizer = torch.optim.Adam(groups, lr=1e-3)

    def loss(features, value, kind):
        predicted_value, predicted_kind = model(features)
        losses = mse_loss(predicted_value.squeeze(1), value), cross_entropy(predicted_kind, kind)
        return weighting(*losses)

    if MODE == "compiled":
        loss = torch.compile(loss)

    def steps(count):
        for _ in range(count):
            total = loss(features, value, kind)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        # Waits for the device.
        return total.item()

    device = torch.cuda.get_device_name() if DEVICE == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    serve(f"torch {torch.__version__}", device, steps)


main()
