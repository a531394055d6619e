"""Text for a terminal, whoever wrote it."""


def printable(text: str) -> str:
    """Text without what a terminal would act on: datasets, models and the Hub may say anything.

    >>> printable("a\x1b[31mb\nc")
    'a [31mb c'
    """
    return "".join(char if char.isprintable() else " " for char in text)
