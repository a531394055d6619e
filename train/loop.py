"""What both objectives share: device and arguments, the tokenizer, progress, a stop that saves, and the final save."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.core.errors import StorageError, TrainError
from tilth.core.progress import Talk
from tilth.train import data
from tilth.train import output as outputs
from tilth.train.base_model import BaseModel
from tilth.train.config import Objective, TrainConfig, processes, rank
from tilth.train.watch import Stop, Watch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Trainer

OnProgress = Callable[[int, int, float | None], None]
"""Called with (step, steps in all, newest loss or None)."""


@dataclass(frozen=True)
class Run:
    """One training run: all its trainer needs to know."""

    objective: Objective
    split: data.Split
    base: BaseModel
    output: Path
    config: TrainConfig
    template: str | None
    """Chat template in place of the base model's own."""
    talk: Talk
    on_progress: OnProgress | None = None

    def arguments(self) -> dict[str, Any]:
        """TRL's arguments that both objectives share."""
        config = self.config
        gpu, bf16 = device(config)
        adapters_in_bf16 = config.dtype == "auto" and config.lora is not None and bf16
        model_kwargs: dict[str, Any] = {
            "dtype": "bfloat16" if config.dtype == "bfloat16" or adapters_in_bf16 else "float32",
            "device_map": None,  # TRL's own choice spreads the model over every GPU in sight
        }
        if config.attention:
            model_kwargs["attn_implementation"] = config.attention
        checkpointing = gpu if config.gradient_checkpointing is None else config.gradient_checkpointing
        return {
            "output_dir": str(self.output / outputs.WORK),
            "model_init_kwargs": model_kwargs,
            "seed": config.seed,
            "data_seed": config.seed,
            "full_determinism": config.deterministic,
            "num_train_epochs": config.epochs,
            "max_steps": config.max_steps or -1,
            "per_device_train_batch_size": config.batch_size,
            "gradient_accumulation_steps": config.gradient_accumulation,
            "learning_rate": config.learning_rate,
            "lr_scheduler_type": config.scheduler,
            "warmup_steps": config.warmup,
            "weight_decay": config.weight_decay,
            "max_length": config.max_length,
            "use_cpu": not gpu,
            "bf16": bf16,
            "activation_checkpointing": checkpointing,
            "gradient_checkpointing": checkpointing,
            "dataset_num_proc": _workers(self.split.rows),
            "dataloader_pin_memory": gpu,
            "logging_steps": config.log_steps,
            "save_strategy": "steps",
            "save_steps": config.save_steps,
            "save_total_limit": 1,
            "disable_tqdm": True,
            "report_to": "none",
        }

    def adapters(self) -> Any | None:
        """PEFT's configuration, where adapters are trained."""
        if self.config.lora is None:
            return None
        from peft import LoraConfig

        lora = self.config.lora
        modules = lora.target_modules if isinstance(lora.target_modules, str) else list(lora.target_modules)
        return LoraConfig(
            r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=modules, task_type="CAUSAL_LM"
        )


def run(this: Run) -> dict[str, Any]:
    """Train and save; gives the metrics."""
    from tilth.train import dpo, sft

    with quiet_libraries():
        return sft.run(this) if this.objective == "sft" else dpo.run(this)


def device(config: TrainConfig) -> tuple[bool, bool]:
    """(whether to train on an accelerator, whether it computes in bfloat16).

    Raises:
        TrainError: a GPU was asked for and there is none, or several are in sight of one process.
    """
    import torch

    cuda = torch.cuda.is_available()
    gpu = config.device != "cpu" and (cuda or torch.backends.mps.is_available())
    if config.device == "gpu" and not gpu:
        raise TrainError("device gpu: torch finds none", hint="device: cpu, or a torch built for this machine's GPU")
    if gpu and cuda and torch.cuda.device_count() > 1 and processes() == 1:
        raise TrainError(
            f"{torch.cuda.device_count()} GPUs are in sight of one process",
            hint="`accelerate launch -m tilth.train.run …` for all of them, CUDA_VISIBLE_DEVICES=0 for one",
        )
    return gpu, gpu and cuda and torch.cuda.is_bf16_supported()


def _workers(rows: int) -> int | None:
    """Processes that tokenise: one for each 20,000 rows; None is this one."""
    workers = min(os.cpu_count() or 1, rows // 20_000)
    return workers if workers > 1 else None


def tokenizer(run: Run) -> PreTrainedTokenizerBase:
    """The base model's tokenizer, with the run's chat template."""
    from transformers import AutoTokenizer

    with model_errors(run):
        loaded = AutoTokenizer.from_pretrained(str(run.base.path))
    if run.template is not None:
        loaded.chat_template = run.template
    return loaded


def rows(run: Run, tokens: PreTrainedTokenizerBase, template: str | None) -> data.Fitted:
    """The rows, measured; what does not fit is said aloud."""
    config = run.config
    assert config.max_length
    dataset = data.load(run.split, run.output / outputs.WORK / "data")
    fitted = data.fit(dataset, tokens, template, run.objective, max_length=config.max_length, drop=config.overlong == "drop")
    if number := fitted.truncated + fitted.dropped:
        word = "dropped" if fitted.dropped else "cut there"
        run.talk.say(
            f"  {number:,} of {run.split.rows:,} rows are longer than {config.max_length:,} tokens and are {word};"
            f" the longest has {fitted.longest:,}"
        )
    return fitted


def finish(run: Run, trainer: Trainer, fitted: data.Fitted, extra: dict[str, Any]) -> dict[str, Any]:
    """Train from where the run stands, save the model into the output folder, and give the metrics.

    Raises:
        KeyboardInterrupt: the run was stopped; its checkpoint is written.
        TrainError: no row is left to learn from, or memory ran out.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import PrinterCallback

    from tilth.train.watch import losses

    left = len(trainer.train_dataset)
    if not left:
        raise TrainError(
            f"no row of {run.split} keeps an answer within max_length={run.config.max_length}", hint="raise max_length"
        )
    kept = len(fitted.dataset) if run.config.packing else left  # packing puts several rows into one
    resumed = outputs.checkpoint(run.output)
    if resumed is not None and rank() == 0:
        run.talk.say(f"  goes on from {resumed.name}")
    trainer.remove_callback(PrinterCallback)  # it writes to stdout, which is for data
    watch = Watch(run.talk, run.on_progress)
    trainer.add_callback(watch)
    began = time.monotonic()
    with stopping() as stop:
        trainer.add_callback(stop.callback())
        try:
            trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        except torch.OutOfMemoryError as error:
            raise TrainError(
                f"out of memory: {str(error).splitlines()[0]}",
                hint="a smaller batch_size (gradient_accumulation makes up for it), max_length, dtype bfloat16, or lora",
            ) from None
        except (OSError, SafetensorError) as error:
            raise StorageError(
                f"{run.output}: {error}", hint="free some space; the same command goes on from its checkpoint"
            ) from error
        finally:
            watch.close()
    state = trainer.state
    if stop.asked and state.global_step < state.max_steps:
        run.talk.say(f"  stopped at step {state.global_step:,} of {state.max_steps:,}; the same command goes on from there")
        raise KeyboardInterrupt
    trainer.save_model(str(run.output))
    (run.output / "training_args.bin").unlink(missing_ok=True)  # a pickle with paths of this machine
    return {
        **losses(state.log_history),
        "steps": state.global_step,
        "epochs": state.epoch,
        "rows_kept": kept,
        "dropped_rows": run.split.rows - kept,
        "truncated_rows": fitted.truncated,
        "longest_row_tokens": fitted.longest,
        "processes": processes(),
        "device": torch.cuda.get_device_name(0) if trainer.args.device.type == "cuda" else trainer.args.device.type,
        "bf16": bool(trainer.args.bf16),
        "weights_dtype": str(trainer.args.model_init_kwargs["dtype"]).removeprefix("torch."),
        "chat_template_sha256": hashlib.sha256(str(trainer.processing_class.chat_template).encode()).hexdigest(),
        "seconds": round(time.monotonic() - began, 1),
        **extra,
    }


@contextmanager
def model_errors(run: Run) -> Iterator[None]:
    """Turn what the libraries raise about a model they cannot load into one line; the cause stays chained."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrainError(f"model {run.base.id} cannot be trained: {lines[0]}") from error


@contextmanager
def stopping() -> Iterator[Stop]:
    """Inside, the first Ctrl-C (or SIGTERM) asks training to save and stop at the end of its step; the second kills it."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' bars and usage reports to themselves: the run shows its own progress, and tells nobody else."""
    import datasets
    import huggingface_hub.constants
    import transformers

    bars = datasets.utils.logging.is_progress_bar_enabled(), transformers.utils.logging.is_progress_bar_enabled()
    reports = huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # transformers to TRL, about names of its next version
            yield
    finally:
        huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = reports
        if bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            transformers.utils.logging.enable_progress_bar()
