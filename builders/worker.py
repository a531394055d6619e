"""What the process that workers are forked from imports, before the first task: the blocks of the pipelines and every unit."""

from tilth.builders import read, sweep
from tilth.core import local_executor, units

units.every("step")

__all__ = ["local_executor", "read", "sweep"]
