# SPDX-License-Identifier: Apache-2.0
"""The models of the zoo: name, shape, and what sets its training apart. Nothing is trained here.

Every architecture spends 13 width^2 parameters a layer on matrices, so that models of one width compare.
"""
import dataclasses
import typing

from tokenizer import VOCAB

CONTEXT = 512
BATCH = 64
STEPS = 8000
PEAK_RATE = 4e-3  # at width 128


@dataclasses.dataclass
class Recipe:
    name: str
    config: dict
    seed: int = 1
    budget: float = 1.0  # share of STEPS
    teacher: typing.Optional[str] = None

    @property
    def peak_rate(self):
        return PEAK_RATE * (128 / self.config["d_model"]) ** 0.5


def shape(arch, width, layers, head_dim=32, context=CONTEXT):
    config = {"arch": arch, "d_model": width, "n_layers": layers, "vocab": VOCAB, "max_ctx": context}
    if arch == "llama":
        config.update(n_heads=width // head_dim, ffn=3 * width, head_dim=head_dim)
    elif arch == "retnet":
        config.update(n_heads=width // 32, head_dim=32, v_head_dim=64, ffn=5 * width // 2)
    elif arch == "rwkv4":
        config.update(ffn=4 * width)
    elif arch == "h3":
        config.update(n_heads=width // 8, head_dim=8, d_state=4, shift=4, ffn=9 * width // 2)
    elif arch == "hyena":
        config.update(short=3, filter_bands=4, filter_width=32, ffn=9 * width // 2 - 32)
    return config


def recipes():
    """All of them by name, teachers before students."""
    full = [Recipe(f"{arch}-1m", shape(arch, 128, 4)) for arch in ("llama", "rwkv4", "h3", "hyena", "retnet")]
    ladder = [Recipe("llama-0.1m", shape("llama", 48, 3, head_dim=24)),
              Recipe("llama-0.25m", shape("llama", 64, 4)),
              Recipe("llama-0.5m", shape("llama", 96, 3)),
              Recipe("llama-2m", shape("llama", 192, 4))]
    student = [Recipe("llama-0.5m-kd", shape("llama", 96, 3), teacher="llama-1m")]
    less_text = [Recipe("llama-1m-d50", shape("llama", 128, 4), budget=0.5),
                 Recipe("llama-1m-d25", shape("llama", 128, 4), budget=0.25)]
    second = [Recipe(f"{recipe.name}-s2", recipe.config, seed=2) for recipe in full]
    return {recipe.name: recipe for recipe in full + ladder + student + less_text + second}
