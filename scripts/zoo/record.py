# SPDX-License-Identifier: Apache-2.0
"""The record of one training run: JSON lines, one `run` line and a `point` line for each part of the curve.

The file is written anew at every point, so that a run that was cut short leaves an honest record
(schedule_finished false). README.md documents the fields. Nothing here measures.
"""
import datetime
import glob
import hashlib
import json
import os
import platform

import numpy
import torch

from storage import write_atomically

FORMAT = "tare-train-1"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def processor():
    """The processor's name, or None where the system does not tell."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), None)
    except OSError:
        return None


def hardware(device):
    found = {"cpu": processor(), "cpus": os.cpu_count(), "gpu": None, "gpus_used": 0}
    if torch.device(device).type == "cuda":
        board = torch.cuda.get_device_properties(device)
        found.update(gpu=board.name, gpus_used=1, gpu_memory_bytes=board.total_memory)
    return found


def recipe_sha256():
    """Of all Python files of this folder, in order of their names: which recipe it was."""
    folder, digest = os.path.dirname(os.path.abspath(__file__)), hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.py"), recursive=True)):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def software():
    return {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda,
            "numpy": numpy.__version__, "recipe_sha256": recipe_sha256()}


class Record:
    """`run` is a plain dictionary that its owner fills; save() after each change that is worth keeping."""

    def __init__(self, path, **fields):
        self.path, self.points = path, []
        self.run = {"type": "run", "format": FORMAT, **fields, "started": now(), "ended": None,
                    "schedule_finished": False}

    def point(self, **fields):
        self.points.append({"type": "point", **fields})
        self.save()

    def save(self):
        lines = [json.dumps(line) + "\n" for line in [self.run] + self.points]
        write_atomically(self.path, "".join(lines).encode())

    def finish(self, **fields):
        self.run.update(fields, ended=now())
        self.save()
