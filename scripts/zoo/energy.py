# SPDX-License-Identifier: Apache-2.0
"""Joules of the GPU's board by NVML's total-energy counter. What it cannot read it says, and never guesses.

The counter is gross: it contains what the board draws when idle. It does not see the processor, the memory
of the host, fans or power supplies. It advances every few ten milliseconds: windows below a second are coarse.
"""
import ctypes
import time

import torch

SCOPE = "device"
SOURCE = "NVML total energy counter, gross"
MJ_PER_J = 1000.0


class Energy:
    """joules() since some moment in the past; None where `reason` says why."""

    def __init__(self, device):
        self.reason, self._library, self._board = None, None, ctypes.c_void_p()
        try:
            if torch.device(device).type != "cuda":
                raise OSError("the run was not on an NVIDIA GPU")
            self._library = ctypes.CDLL("libnvidia-ml.so.1")
            self._call("nvmlInit_v2")
            self._find_board(device)
            self._read()
        except (OSError, AttributeError) as error:
            self.reason = f"no energy counter: {error}"

    def _call(self, name, *arguments):
        status = getattr(self._library, name)(*arguments)
        if status != 0:
            raise OSError(f"{name} returned {status}")

    def _find_board(self, device):
        """The board that PyTorch uses, by its UUID: NVML and CUDA may count boards differently."""
        uuid = getattr(torch.cuda.get_device_properties(device), "uuid", None)
        if uuid is not None:
            name = f"GPU-{uuid}".encode()
            return self._call("nvmlDeviceGetHandleByUUID", ctypes.c_char_p(name), ctypes.byref(self._board))
        count = ctypes.c_uint()
        self._call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        if count.value != 1:
            raise OSError(f"{count.value} boards, and this PyTorch does not say which one it uses")
        return self._call("nvmlDeviceGetHandleByIndex_v2", 0, ctypes.byref(self._board))

    def _read(self):
        millijoules = ctypes.c_ulonglong()
        self._call("nvmlDeviceGetTotalEnergyConsumption", self._board, ctypes.byref(millijoules))
        return millijoules.value / MJ_PER_J

    def joules(self):
        if self.reason:
            return None
        try:
            return self._read()
        except OSError as error:
            self.reason = f"the energy counter failed during the run: {error}"
            return None

    def idle_watts(self, seconds=2.0):
        """The board's power while nothing runs on it, or None."""
        begin, before = time.monotonic(), self.joules()
        if before is None:
            return None
        time.sleep(seconds)
        after = self.joules()
        return None if after is None else (after - before) / (time.monotonic() - begin)
