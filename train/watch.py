"""What looks on while a model trains: progress on stderr, and the wish to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from tilth.core.progress import Talk

_SECONDS_A_LINE = 60.0
"""Where stderr is no terminal, a line at most so often."""


class Watch(TrainerCallback):  # type: ignore[misc]
    """Shows step / total, loss, rate and time left: a bar on a terminal, a line a minute elsewhere."""

    def __init__(self, talk: Talk, on_progress: Callable[[int, int, float | None], None] | None) -> None:
        self._talk = talk
        self._on_progress = on_progress
        self._bar: Progress | None = None
        self._loss: float | None = None
        self._began = self._said = time.monotonic()
        self._first = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._began = self._said = time.monotonic()
        self._first = state.global_step
        if not state.is_world_process_zero or self._talk.quiet:
            return
        self._talk.say(f"  training: {state.max_steps:,} steps")
        if self._talk.console.is_terminal:
            loss, rate = TextColumn("{task.fields[loss]}"), TextColumn("{task.fields[rate]}", style="cyan")
            columns = (TextColumn("  {task.description}"), BarColumn(24), MofNCompleteColumn(), loss, rate, TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._talk.console, transient=True)
            self._bar.start()
            self._bar.add_task("step", total=state.max_steps, completed=state.global_step, loss="", rate="")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = True  # the last steps count in the mean loss
        if state.is_world_process_zero:
            self._show(state)
            if self._on_progress:
                self._on_progress(state.global_step, state.max_steps, self._loss)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        if logs and isinstance(logs.get("loss"), float):
            self._loss = logs["loss"]

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.close()
        if state.is_world_process_zero:
            seconds = time.monotonic() - self._began
            self._talk.say(f"  trained {state.global_step - self._first:,} steps in {seconds:,.1f} s{self._words()}")

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _words(self) -> str:
        return "" if self._loss is None else f", loss {self._loss:.4g}"

    def _show(self, state: TrainerState) -> None:
        now = time.monotonic()
        rate = (state.global_step - self._first) / max(now - self._began, 1e-9)
        speed = f"{rate:.2f} steps/s" if rate >= 1 else f"{1 / max(rate, 1e-9):.1f} s/step"
        if self._bar:
            loss = "" if self._loss is None else f"loss {self._loss:.4g}"
            self._bar.update(self._bar.task_ids[0], completed=state.global_step, loss=loss, rate=speed)
        elif not self._talk.quiet and now - self._said >= _SECONDS_A_LINE:
            self._said = now
            left = (state.max_steps - state.global_step) / max(rate, 1e-9)
            self._talk.say(f"  step {state.global_step:,}/{state.max_steps:,}{self._words()}, {speed}, {left / 60:,.0f} min left")


class Stop:
    """A wish to stop that training hears at the end of a step."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: object) -> None:
        """A signal handler: the first time a wish, the second time an interrupt here and now."""
        if self.asked:
            signal.signal(number, signal.default_int_handler)
            raise KeyboardInterrupt
        self.asked = True

    def callback(self) -> TrainerCallback:
        """What makes the trainer save and stop once it was asked to."""
        return _StopCallback(self)


class _StopCallback(TrainerCallback):  # type: ignore[misc]
    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._stop.asked = _any_process(self._stop.asked, args)
        if self._stop.asked:
            control.should_save = control.should_log = control.should_training_stop = True


def _any_process(asked: bool, args: TrainingArguments) -> bool:
    """Whether any process was asked: all must stop at the same step, or the others wait for ever."""
    import torch

    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return asked
    flag = torch.tensor(int(asked), device=args.device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())


def losses(history: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Mean and last loss, and the last of what else TRL measures, from the log (which a resumed run carries on).

    >>> losses([{"step": 2, "loss": 4.0}, {"step": 3, "loss": 1.0, "rewards/accuracies": 0.5}])
    {'train_loss': 3.0, 'final_loss': 1.0, 'rewards/accuracies': 0.5}
    """
    total, last_step, last = 0.0, 0, {}
    for entry in history:
        if "loss" in entry:
            total += entry["loss"] * (entry["step"] - last_step)
            last_step, last = entry["step"], entry
    wanted = ("mean_token_accuracy", "rewards/accuracies", "rewards/margins")
    return {
        "train_loss": total / last_step if last_step else None,
        "final_loss": last.get("loss"),
        **{name: last[name] for name in wanted if name in last},
    }
