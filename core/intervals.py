"""The interval of a share."""

from __future__ import annotations

import math

Z = 1.959964
"""Of 95 %."""


def wilson(right: float, total: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (E. B. Wilson 1927); 0 to 1 where nothing was counted.

    >>> [round(bound, 3) for bound in wilson(190, 200)], wilson(0, 0)
    ([0.91, 0.973], (0.0, 1.0))
    >>> tuple(round(bound, 3) for bound in wilson(45, 50))
    (0.786, 0.957)
    """
    if total <= 0:
        return 0.0, 1.0
    share = right / total
    middle = share + Z * Z / (2 * total)
    half = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    scale = 1 + Z * Z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
