"""The peers: what they are called, how each is set up, and the command that starts its worker."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from processes import Missing, end, last_error, run, start

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target" / "peers"
# The versions of burn and meganeura are in their Cargo.toml.
TORCH, JAX = "2.15.0", "0.10.2"
TORCH_FOR_CPUS = "https://download.pytorch.org/whl/cpu"


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def worker_environment():
    return os.environ | {
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(cores())),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(TARGET / "inductor"),
        # No compiling processes that would stay beside what is timed.
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        # Mesa's drivers complain where it is unset; they keep nothing there.
        "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", "/tmp"),
    }


def has_nvidia():
    return shutil.which("nvidia-smi") is not None


def ours(log):
    return [cargo(ROOT, log, "--example", "peers-ours")]


def burn(log):
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET / "burn")}
    features = ["--features", "spirv"] if has_nvidia() else []
    return [cargo(HERE / "burn", log, "--locked", *features, env=environment)]


def meganeura(log):
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET / "meganeura")}
    return [cargo(HERE / "meganeura", log, "--locked", env=environment)]


def torch(mode, log):
    installs = [[f"torch=={TORCH}"]]
    if sys.platform == "linux" and not has_nvidia():
        # A tenth of the download; where that index cannot be reached, the package that everybody gets.
        options = ["--index-url", TORCH_FOR_CPUS, "--retries", "0", "--timeout", "15"]
        installs.insert(0, installs[0] + options)
    return [python("torch", TORCH, installs, log), HERE / "torch_worker.py", mode]


def jax(mode, log):
    name = "jax[cuda13]" if has_nvidia() else "jax"
    return [python("jax", JAX, [[f"{name}=={JAX}"]], log), HERE / "jax_worker.py", mode]


def cargo(folder, log_path, *arguments, env=None):
    """Builds a program and says where it is."""
    command = ["cargo", "build", "--release", "--message-format=json-render-diagnostics", *arguments]
    with open(log_path, "w") as log:
        process = start(command, log, cwd=folder, env=env, stdout=subprocess.PIPE)
        messages = [json.loads(line) for line in process.stdout if line.startswith("{")]
        code = process.wait()
        end(process)
    programs = [message["executable"] for message in messages if message.get("executable")]
    if code != 0 or not programs:
        raise Missing(last_error(log_path))
    return programs[-1]


def python(module, version, installs, log_path):
    """The Python of a virtual environment that has the module, installed in the first way that works."""
    folder = TARGET / module
    interpreter = folder / "bin" / "python"
    is_there = f"from importlib.metadata import version as v; assert v('{module}').split('+')[0] == '{version}'"
    log_path.write_text("")
    try:
        run([interpreter, "-c", is_there], log_path)
        return interpreter
    except Missing:
        log_path.write_text("")
    run([sys.executable, "-m", "venv", "--clear", folder], log_path)
    for arguments in installs[:-1]:
        try:
            run([interpreter, "-m", "pip", "install", *arguments], log_path)
            return interpreter
        except Missing:
            pass
    run([interpreter, "-m", "pip", "install", *installs[-1]], log_path)
    return interpreter


@dataclass(frozen=True)
class Peer:
    title: str
    set_up: Callable[[Path], list]  # from the path of a log to the command of the worker


# Ours first: each round goes through them in this order, and the first one's totals are what the others are held to.
PEERS = {
    "ours": Peer("awl, fused", ours),
    "torch": Peer("PyTorch, eager", partial(torch, "eager")),
    "torch-compiled": Peer("PyTorch, `torch.compile`", partial(torch, "compiled")),
    "jax": Peer("JAX, `jit`", partial(jax, "jit")),
    "jax-scan": Peer("JAX, `lax.scan`", partial(jax, "scan")),
    "burn": Peer("burn, wgpu", burn),
    "meganeura": Peer("meganeura, blade", meganeura),
}
