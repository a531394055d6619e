"""A running job on stderr: a table that is drawn anew on a terminal, a line now and then elsewhere, nothing with --quiet."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REDRAW_SECONDS = 0.25
LINE_SECONDS = 15.0


@contextmanager
def watching(talk: Any, name: str, meter: Any, cap: float | None) -> Iterator[None]:
    """Show `meter` until the block ends.

    Args:
        talk: `core.progress.Talk`.
        meter: `annotators.meter.Meter`.
        cap: in USD.
    """
    if talk.quiet:
        yield
        return
    began = time.monotonic()
    stop = threading.Event()
    live: Any = None
    if talk.console.is_terminal:
        from rich.live import Live

        live = Live(console=talk.console, auto_refresh=False, transient=True)
        live.start()

    def watch() -> None:
        while not stop.wait(REDRAW_SECONDS if live else LINE_SECONDS):
            if live:
                live.update(table(name, meter, cap, time.monotonic() - began), refresh=True)
            elif meter.calls:
                talk.say(f"  {name}: {line(meter, cap, time.monotonic() - began)}")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
        if live:
            live.stop()
        talk.say(f"  {name}: {line(meter, cap, time.monotonic() - began)}")


def line(meter: Any, cap: float | None, seconds: float) -> str:
    """Calls, rate, time left and money in a line."""
    parts = [f"{meter.done:,} of {meter.calls:,} calls", f"{meter.bought / max(seconds, 0.001):,.1f} bought/s"]
    left = meter.calls - meter.done
    if left and meter.bought:
        parts.append(f"{_clock(left * seconds / meter.bought)} left")
    if meter.batches[1]:
        parts.append(f"{meter.batches[0]:,} of {meter.batches[1]:,} answered in batches")
    if failed := sum(judge.failed for judge in meter.judges):
        parts.append(f"{failed:,} failed")
    if retrying := sum(judge.retrying for judge in meter.judges):
        parts.append(f"{retrying:,} waiting to be asked again")
    parts.append(money(meter, cap))
    return ", ".join(parts)


def money(meter: Any, cap: float | None) -> str:
    """Spent by this run and, under a cap, by all, with what is set aside."""
    said = f"${meter.spent:.4f} spent"
    if cap is None:
        return said
    before = f", ${meter.already:.4f} before" if meter.already else ""
    return f"{said}{before}, ${meter.reserved:.4f} reserved of ${cap:.2f}"


def table(name: str, meter: Any, cap: float | None, seconds: float) -> Any:
    """A line a judge, and one of all."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_row(*(Text(word, style="dim") for word in ("judge", "", "calls", "ok", "other", "failed", "retrying")))
    for judge in meter.judges:
        other = judge.done - judge.ok - judge.failed
        counts = (f"{judge.done:,}/{judge.calls:,}", judge.ok, other, judge.failed, judge.retrying)
        bar = ProgressBar(total=max(1, judge.calls), completed=judge.done, width=24)
        grid.add_row(Text(judge.judge), bar, *(Text(one if isinstance(one, str) else f"{one:,}") for one in counts))
    return Group(grid, Text(f"{name}: {line(meter, cap, seconds)}"))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
