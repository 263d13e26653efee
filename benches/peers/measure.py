"""One workload: every peer checked, warmed up, and timed in turn."""

import sys

from peers import TARGET, worker_environment
from processes import Missing, Worker

# Totals must agree to this share, that of the first step (the losses) and of the tenth (all gradients, and Adam).
TOLERANCE = 1e-4


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


class Contender:
    """A peer on one workload, and what is found about it: `found["missing"]` says why there is nothing."""

    def __init__(self, workload, name, command):
        self.workload, self.name, self.command = workload, name, command
        self.worker = None
        self.count = None  # steps of a turn
        self.found = {"missing": command} if isinstance(command, Missing) else {}

    def attempt(self, action):
        """Does something, unless the peer is missing; if that fails it is missing from then on."""
        if "missing" in self.found:
            return
        try:
            action()
        except Missing as reason:
            say(f"{self.workload.name}: {self.name} is missing: {reason}")
            self.end()
            self.found["missing"] = reason

    def begin(self, inputs):
        """Starts the worker and makes ten steps."""
        say(f"{self.workload.name}: starting {self.name}")
        log = TARGET / f"{self.name}-{self.workload.name}.log"
        arguments = self.workload.arguments(inputs)
        self.worker = worker = Worker(self.command + arguments, log, worker_environment())
        self.found |= {"version": worker.version, "device": worker.device}
        seconds, first = worker.steps(1)
        _, tenth = worker.steps(9)
        self.found |= {"first_step_seconds": seconds, "totals": [first, tenth]}

    def warm_up(self, seconds):
        """Finds how many steps take about so many seconds, and makes as many."""
        say(f"{self.workload.name}: warming up {self.name}")
        self.count = 5
        for _ in range(2):
            # The first time, a worker may compile for a number of steps.
            self.worker.steps(self.count)
            took, _ = self.worker.steps(self.count)
            self.count = max(1, round(self.count * seconds / took))
        self.worker.steps(self.count)
        self.found["us_per_step"] = []

    def sample(self):
        seconds, _ = self.worker.steps(self.count)
        self.found["us_per_step"].append(1e6 * seconds / self.count)

    def end(self):
        if self.worker:
            self.worker.end()


def measure(workload, commands, rounds, seconds):
    """What is found about each peer; no rounds make it a check of the totals alone."""
    inputs = TARGET / f"{workload.name}.inputs"
    workload.write(inputs)
    contenders = [Contender(workload, name, command) for name, command in commands.items()]
    for it in contenders:
        it.attempt(lambda: it.begin(inputs))
    compare_totals([it.found for it in contenders if "totals" in it.found])
    if rounds:
        for it in contenders:
            it.attempt(lambda: it.warm_up(seconds))
    for number in range(1, rounds + 1):
        say(f"{workload.name}: round {number} of {rounds}")
        for it in contenders:
            it.attempt(it.sample)
    for it in contenders:
        it.end()
    return {it.name: it.found for it in contenders}


def compare_totals(all_found):
    """Marks every peer whose totals are not those of the first."""
    for found in all_found:
        pairs = zip(found["totals"], all_found[0]["totals"])
        found["agrees"] = all(abs(a - b) <= TOLERANCE * abs(b) for a, b in pairs)
