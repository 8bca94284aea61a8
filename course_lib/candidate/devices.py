"""Spares torch the devices that are not there: seeding them takes milliseconds, and memory, at every call."""

import torch


def without_devices() -> None:
    """Let ``torch.manual_seed`` seed the processor's generator alone.

    Where a device was never used, torch notes each seed in a list, with the stack it came from, to be worked off when
    the device is. It leaves that out in a fork of a process that has used the device: here, all are taken to be so.
    """
    for name in ("cuda", "xpu", "mtia", "mps"):
        device = getattr(torch, name, None)
        if hasattr(device, "_is_in_bad_fork"):
            device._is_in_bad_fork = _yes  # type: ignore[union-attr]


def _yes() -> bool:
    return True
