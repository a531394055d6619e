"""Text as a person may read it: Markdown as a tree of a few harmless elements, which the page builds node by node.

Nothing is hidden: HTML, comments, links, entities and backslashes stand there as they were written, list items keep the number that
they were given, a character that nobody sees is shown as U+FFFD, and where formatting would lose a sign the text stays as it is.
There is no attribute and no address in the tree.

>>> tree("Take **5 mg**.\\n<b>")
[['p', 'Take ', ['strong', '5 mg'], '.', ['br'], '<b>']]
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tilth.cards.markdown import block

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Node = str | list[Any]
"""A text, or [element, *nodes]; `n` is the number of a list item, `h` a heading."""

ELEMENTS = {"heading": "h", "code_inline": "code", "hardbreak": "br", "softbreak": "br"}
"""Where the page's name is not Markdown's own."""
MOST_FORMATTED = 50_000
"""Characters; a longer text is shown as it is."""
MOST_SHOWN = 500_000
"""Characters of a text that the page gets at all."""
_MARKS = str.maketrans("", "", "*_~`#>|-+=:")


def shown(text: str) -> dict[str, Any]:
    """A text for the page: as it is, as nodes (None where it is not to be formatted), and how many characters are left out."""
    clean = block(text)
    cut = clean[:MOST_SHOWN]
    return {"text": cut, "nodes": tree(cut), "left_out": len(clean) - len(cut)}


def tree(text: str) -> list[Node] | None:
    """The nodes of a Markdown text; None where it is long, or would lose more than its marks."""
    if len(text) > MOST_FORMATTED:
        return None
    nodes = _nested(_parser().parse(text))
    return nodes if _signs(text) == _signs(" ".join(texts(nodes))) else None


def texts(nodes: Sequence[Node]) -> Iterator[str]:
    """All texts of a tree, in order."""
    for node in nodes:
        if isinstance(node, str):
            yield node
        else:
            yield from texts(node[1:])


def _signs(text: str) -> str:
    return "".join(text.translate(_MARKS).split())


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    literal = ["reference", "link", "image", "autolink", "entity", "escape", "html_block", "html_inline"]
    return MarkdownIt("commonmark", {"maxNesting": 20}).enable(["table", "strikethrough"]).disable(literal)


def _nested(tokens: Sequence[Token]) -> list[Node]:
    top: list[Node] = []
    stack = [top]
    for token in tokens:
        if token.type == "inline":
            stack[-1].extend(_nested(token.children or ()))
        elif token.type == "text":
            stack[-1].extend([token.content] if token.content else [])
        elif token.nesting < 0:
            stack.pop()
        elif token.hidden:  # the paragraph of a tight list item
            stack.append(stack[-1])
        else:
            node = _node(token)
            stack[-1].append(node)
            if token.nesting > 0:
                stack.append(node)
    return top


def _node(token: Token) -> list[Node]:
    if token.type in ("fence", "code_block"):
        said = [["n", token.info.strip()]] if token.info.strip() else []
        return ["pre", *said, token.content]
    name = ELEMENTS.get(token.type.removesuffix("_open"), token.tag)
    number = [["n", token.info + token.markup]] if name == "li" and token.info else []
    return [name, *number, *([token.content] if token.content else [])]
