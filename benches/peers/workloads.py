"""The workloads, as `awl bench` has them, and the file from which every worker reads its batch and first weights."""

import array
import random
import sys
from dataclasses import dataclass

CLASSES = 10


@dataclass(frozen=True)
class Workload:
    name: str
    features: int
    width: int  # of both hidden layers
    batch: int

    def arguments(self, file):
        """What every worker is started with."""
        return [self.name, str(self.features), str(self.width), str(self.batch), str(file)]

    def write(self, path):
        """Writes features [batch, features], value [batch], kind [batch] and the layers' weights and biases, in turn.

        All are little-endian words, f32 but for kind (u32). A weight is [outputs, inputs]; the heads are one layer, the
        value's row first.
        """
        draw = random.Random(0).uniform
        rows = [[draw(-1, 1) for _ in range(self.features)] for _ in range(self.batch)]
        words = array.array("f", (x for row in rows for x in row))
        words.extend(sum(row) for row in rows)
        kinds = array.array("I", (min(int((row[0] + 1) / 2 * CLASSES), CLASSES - 1) for row in rows))
        words.frombytes(kinds.tobytes())
        for inputs, outputs in self.layers():
            bound = inputs**-0.5
            words.extend(draw(-bound, bound) for _ in range((inputs + 1) * outputs))
        if sys.byteorder == "big":
            words.byteswap()
        path.write_bytes(words.tobytes())

    def layers(self):
        """Inputs and outputs of each layer."""
        return [(self.features, self.width), (self.width, self.width), (self.width, 1 + CLASSES)]


# Twins of WORKLOADS in src/bench/workload.rs; our worker refuses a workload that differs.
WORKLOADS = [
    Workload("seed", 16, 32, 256),
    Workload("small", 16, 64, 1024),
    Workload("medium", 16, 128, 4096),
    Workload("wide", 32, 256, 4096),
    Workload("large", 16, 64, 65_536),
]
