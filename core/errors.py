"""The one tree of errors: what went wrong (the thing and its value) and the mend.

TilthError                       exit 2: wrong usage or input
├── RecipeError                  a recipe or job file says something that cannot be
├── SourceError                  a source cannot be read as described
├── LockError                    no lock, or a lock that no longer matches
├── StorageError                 disk full, permission, a damaged file of our own
├── NetworkError                 the Hub or a provider cannot be reached
├── RegistryError                no such release, a version that is taken, a bad name
├── TrainError                   a training run that cannot start
└── GateError                    exit 1: a gate or a check said no
    ├── LedgerError              the rows do not add up
    ├── VerifyError              bytes do not match their manifest
    ├── YankedError              the release was withdrawn
    └── BudgetError              the spend cap is reached
"""

from __future__ import annotations


class TilthError(Exception):
    """A failure that the user can mend. `message` states the thing and the value, `hint` the mend."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Errors travel between worker processes; keyword-only arguments do not survive the default protocol.
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[TilthError], message: str, hint: str | None) -> TilthError:
    return kind(message, hint=hint)


class RecipeError(TilthError):
    """A recipe or job file is wrong; the message begins with `file:line:`."""


class SourceError(TilthError):
    """A source cannot be read as the recipe describes it."""


class LockError(TilthError):
    """The lock is missing or does not match the recipe or the data."""


class StorageError(TilthError):
    """Our own files cannot be written or read."""


class NetworkError(TilthError):
    """A remote end cannot be reached."""


class RegistryError(TilthError):
    """A release cannot be found, or its name or version cannot be used."""


class TrainError(TilthError):
    """A training run cannot start with what it was given."""


class GateError(TilthError):
    """A gate or a check said no."""

    exit_code = 1


class LedgerError(GateError):
    """Rows in and rows out do not add up."""


class VerifyError(GateError):
    """Bytes do not match the manifest that names them."""


class YankedError(GateError):
    """The release was withdrawn."""


class BudgetError(GateError):
    """The spend cap is reached."""
