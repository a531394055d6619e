"""`tilth`: the verbs. Data goes to stdout, talk and progress to stderr.

Exit 0 done, 1 a gate or a check said no, 2 wrong usage or input, 130 interrupted. This file and the verbs' files
import nothing heavy at the top: `tilth --help` must answer at once.
"""

from __future__ import annotations

import errno
import gc
import signal
import sys

import click

from tilth import __version__
from tilth.cli import (
    annotate_verbs,
    bench_verbs,
    build_verbs,
    calls_verbs,
    decon_verbs,
    distil_verbs,
    export_verbs,
    house_verbs,
    judges_verbs,
    pairs_verbs,
    release_verbs,
    review_verbs,
    train_verbs,
    whatif_verbs,
)
from tilth.core.errors import StorageError, TilthError
from tilth.core.text import printable

EPILOG = """\b
A first walk:
  tilth demo                          a corpus in three kinds, released, in a minute
  tilth new NAME --from FILES         a first recipe for your own data, in any domain
  tilth build R --limit 500           try a recipe on a few rows
  tilth plan R                        what a build would run, why, and what it costs
  tilth whatif R --set STEP.FIELD=V   which rows another threshold would lose and gain
  tilth pairs R                       what each pair strategy would make of the judgements
  tilth release R --version 1.0.0     an immutable release, refused while a gate fails
  tilth push R@1.0.0 --to hf://org/name
  tilth train sft --data R@1.0.0 --model M --output out

R is a recipe's path, or the name of one that ships. Data lies in $TILTH_HOME, or the nearest .tilth folder."""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tilth")
def tilth() -> None:
    """Build, judge, release and train on LLM corpora."""


for verbs in (
    build_verbs, whatif_verbs, decon_verbs, annotate_verbs, distil_verbs, judges_verbs, pairs_verbs, calls_verbs, review_verbs, release_verbs,
    export_verbs, train_verbs, bench_verbs, house_verbs,
):  # fmt: skip
    for verb in verbs.VERBS:
        tilth.add_command(verb)


def main() -> None:
    """Run a command line; every failure that the user can mend is one line and a hint."""
    gc.set_threshold(100_000)  # hardly any of the objects that imports and rows make is garbage: looking for it took a sixth of the start
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers are ended, and half-written files removed
    try:
        sys.exit(tilth.main(standalone_mode=False) or 0)
    except SystemExit as left:
        sys.exit(0 if isinstance(left.__context__, BrokenPipeError) else left.code)  # click makes 1 of it
    except click.exceptions.Exit as left:
        sys.exit(left.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted; the same command goes on where it stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
            raise
        _show(StorageError(f"{error.filename or 'disk'}: {error.strerror}", hint="free some space, or set TILTH_HOME"))
    except TilthError as error:
        _show(error)


def _show(error: TilthError) -> None:
    click.echo(f"error: {printable(error.message)}", err=True)  # names and values come from files that anybody may have written
    if error.hint:
        click.echo(f"hint: {printable(error.hint)}", err=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
