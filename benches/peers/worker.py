"""What the Python workers share: reading the batch and the first weights, and answering on stdin and stdout."""

import json
import sys
import time

from workloads import Workload


class Inputs:
    """The arrays of a worker's file, made by `convert(bytes, dtype name, shape)`."""

    def __init__(self, arguments, convert):
        name, features, width, batch, path = arguments
        self.workload = workload = Workload(name, int(features), int(width), int(batch))
        with open(path, "rb") as file:
            data = memoryview(file.read())

        def take(dtype, *shape):
            nonlocal data
            size = 4
            for length in shape:
                size *= length
            taken, data = data[:size], data[size:]
            return convert(taken, dtype, shape)

        self.features = take("float32", workload.batch, workload.features)
        self.value = take("float32", workload.batch)
        self.kind = take("int32", workload.batch)
        # Each layer's weight [outputs, inputs] and bias.
        self.layers = [
            (take("float32", outputs, inputs), take("float32", outputs))
            for inputs, outputs in workload.layers()
        ]


def serve(version, device, steps):
    """Answers each number on stdin by making as many steps and printing their seconds.

    `steps(count)` returns the total that the last step saw, once all are done.
    """
    print(json.dumps({"version": version, "device": device}), flush=True)
    for line in sys.stdin:
        count = int(line)
        started = time.perf_counter()
        total = steps(count)
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "total": float(total)}), flush=True)
