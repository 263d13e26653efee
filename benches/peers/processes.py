"""Child processes that never outlive this one: set-up commands, and workers that answer lines of JSON."""

import json
import os
import signal
import subprocess
import threading


class Missing(Exception):
    """A peer that cannot take part, and why."""


_running = set()


def start(command, log, **options):
    """Starts a command in a process group of its own, so that all that it starts can be ended with it."""
    command = [str(word) for word in command]
    try:
        process = subprocess.Popen(command, stderr=log, text=True, start_new_session=True, **options)
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from error
    _running.add(process)
    return process


def send(process, number):
    """Sends a signal to a process and all that it started."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def end(process):
    """Kills a process and all that it started, and waits for its end."""
    send(process, signal.SIGKILL)
    process.wait()
    _running.discard(process)


def end_all():
    for process in list(_running):
        end(process)


def run(command, log_path, **options):
    """Runs a command to its end, its output to the log."""
    with open(log_path, "a") as log:
        process = start(command, log, stdin=subprocess.DEVNULL, stdout=log, **options)
        code = process.wait()
        end(process)
    if code != 0:
        raise Missing(last_error(log_path))


def last_error(log_path):
    """The line of a log that says most about why its command failed."""
    with open(log_path, errors="replace") as log:
        lines = [line.strip() for line in log if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it said nothing"])[-1][:200]


class Worker:
    """A peer on one workload, ready to make steps. Between its turns it is stopped: some spin while they wait."""

    PATIENCE = 900  # Seconds to wait for an answer: the first ones compile.

    def __init__(self, command, log_path, environment):
        self.log_path = log_path
        with open(log_path, "w") as log:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self.process = start(command, log, env=environment, **pipes)
        hello = self._answer()
        self.version, self.device = hello["version"], hello["device"]
        send(self.process, signal.SIGSTOP)

    def steps(self, count):
        """Makes this many steps; their seconds, and the total that the last one saw."""
        send(self.process, signal.SIGCONT)
        try:
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()
        except OSError:
            pass  # It died; reading its answer says why.
        answer = self._answer()
        send(self.process, signal.SIGSTOP)
        return answer["seconds"], answer["total"]

    def end(self):
        end(self.process)

    def _answer(self):
        is_late = threading.Event()

        def give_up():
            is_late.set()
            send(self.process, signal.SIGKILL)

        timer = threading.Timer(self.PATIENCE, give_up)
        timer.daemon = True
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        try:
            return json.loads(line)
        except ValueError as error:
            self.end()
            why = f"no answer in {self.PATIENCE} s" if is_late.is_set() else last_error(self.log_path)
            raise Missing(why) from error
