"""Progress on stderr: a bar with rate and time left on a terminal, a line a stage elsewhere, nothing with --quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from tilth.core.text import printable


class _Rate(ProgressColumn):
    """Units a second, since the bar began."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="cyan")


class Talk:
    """Where a command talks to people. `quiet` keeps it to errors."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """One line, as it is: brackets are no markup, and nothing in it moves the cursor."""
        if not self.quiet:
            self.console.print("\n".join(map(printable, line.split("\n"))), markup=False)

    @contextmanager
    def bar(self, label: str, total: int, poll: Callable[[], int] | None = None) -> Iterator[Callable[..., None]]:
        """A bar over `total` units; call what is yielded with (units done[, units in all]), or give `poll` to be asked."""
        started = time.monotonic()
        if self.quiet or not self.console.is_terminal:
            yield lambda done, all_=None: None
            self.say(f"  {label}: {total:,} in {time.monotonic() - started:.1f} s")
            return
        columns = (TextColumn("  {task.description}"), BarColumn(24), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(label, total=total)
            stop = threading.Event()

            def watch() -> None:
                while poll and not stop.wait(0.3):
                    progress.update(task, completed=poll())

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            try:
                yield lambda done, all_=None: progress.update(task, completed=done, total=all_ or total)
            finally:
                stop.set()
                watcher.join()
        self.say(f"  {label}: {total:,} in {time.monotonic() - started:.1f} s")
