"""The signals that ask the program to end."""

from __future__ import annotations

import signal


def endings() -> list[signal.Signals]:
    """Return the signals, beside SIGINT, that ask the program to end: to be killed, and to lose its terminal, unless it
    was started to outlive that (nohup).
    """
    signals = [signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals
