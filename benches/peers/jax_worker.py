"""JAX's worker: `jax_worker.py jit|scan WORKLOAD…`. The whole step, Adam included, is one compiled function."""

import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from worker import Inputs, serve

MODE = sys.argv[1]
# As PyTorch and ours: on GPUs, JAX would else round the factors of products to TF32.
jax.config.update("jax_default_matmul_precision", "highest")
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def convert(data, dtype, shape):
    return jnp.asarray(np.frombuffer(data, dtype).reshape(shape))


def total_loss(parameters, features, value, kind):
    hidden = features
    for weight, bias in parameters["trunk"]:
        hidden = jax.nn.relu(hidden @ weight + bias)
    (value_weight, value_bias), (kind_weight, kind_bias) = parameters["heads"]
    predicted_value = (hidden @ value_weight + value_bias)[:, 0]
    scores = jax.nn.log_softmax(hidden @ kind_weight + kind_bias)
    mse = jnp.mean((predicted_value - value) ** 2)
    cross_entropy = -jnp.mean(jnp.take_along_axis(scores, kind[:, None], axis=1))
    squares = parameters["sigma"] ** 2
    losses = jnp.stack([mse, cross_entropy])
    return jnp.sum(0.5 / squares * losses + jnp.log(1 + squares))


def step(state, batch):
    """One step: the new state, and the total before the update."""
    parameters, first, second, count = state
    total, gradient = jax.value_and_grad(total_loss)(parameters, *batch)
    count = count + 1
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradient)
    rate = LEARNING_RATE / (1 - BETA_1**count)
    correction = 1 - BETA_2**count

    def update(parameter, m, v):
        return parameter - rate * m / (jnp.sqrt(v / correction) + EPSILON)

    parameters = jax.tree.map(update, parameters, first, second)
    return (parameters, first, second, count), total


@partial(jax.jit, donate_argnums=0)
def one_step(state, batch):
    return step(state, batch)


@partial(jax.jit, static_argnums=2, donate_argnums=0)
def many_steps(state, batch, count):
    """`count` steps in one call; the total that the last one saw."""
    state, totals = jax.lax.scan(lambda state, _: step(state, batch), state, length=count)
    return state, totals[-1]


def main():
    inputs = Inputs(sys.argv[2:], convert)
    first, second, (weight, bias) = [(weight.T, bias) for weight, bias in inputs.layers]
    parameters = {
        "trunk": [first, second],
        "heads": [(weight[:, :1], bias[:1]), (weight[:, 1:], bias[1:])],
        "sigma": jnp.ones(2),
    }
    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    state = (parameters, *zeros, jnp.float32(0))
    batch = (inputs.features, inputs.value, inputs.kind)

    def steps(count):
        nonlocal state
        if MODE == "scan":
            state, total = many_steps(state, batch, count)
        else:
            for _ in range(count):
                state, total = one_step(state, batch)
        # Waits for the device.
        jax.block_until_ready(state)
        return total

    device = jax.devices()[0]
    serve(f"jax {jax.__version__}", device.device_kind, steps)


main()
