# SPDX-License-Identifier: Apache-2.0
"""The five architectures behind one function, build(). A new one is a file here and a word in the table."""
from . import h3, hyena, llama, retnet, rwkv4
from .common import LanguageModel

ARCHITECTURES = {"llama": llama, "rwkv4": rwkv4, "h3": h3, "hyena": hyena, "retnet": retnet}


def build(config):
    """A model with fresh weights; draws from PyTorch's random generator."""
    arch = ARCHITECTURES[config["arch"]]
    blocks = [arch.block(config, index) for index in range(config["n_layers"])]
    return LanguageModel(config, arch.NORM, blocks, arch.NORM_AFTER_EMBEDDING)
