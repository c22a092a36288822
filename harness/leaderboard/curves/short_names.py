"""Names where there is little room: shorter, or on several lines, and still told apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

_BETWEEN = re.compile(r"( · |, )")
_CUT = "…"


def shortened(names: Sequence[str], longest: int) -> list[str]:
    """`names` with at most `longest` characters each where they can be told apart by that, different ones staying
    different.

    Where any is too long, all lose the parts that those of the same method share. What is still too long loses the
    parts that say least of it, and then its middle: the ends tell names apart most often.
    """
    if all(len(name) <= longest for name in names):
        return list(names)
    said = _unshared(names)
    cut = [_cut(_dropped(one, said, longest), longest) for one in said]
    return _numbered(names, cut)


def wrapped(name: str, width: int) -> list[str]:
    """`name` on lines of at most `width` characters, broken between its parts; parts too long for a line at spaces,
    words anywhere."""
    lines = [""]
    for piece in _pieces(name, width):
        if lines[-1] and len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _pieces(name: str, width: int) -> Iterator[str]:
    """What a line takes whole."""
    for part in re.split(r"(?<= · )|(?<=, )", name):
        for piece in [part] if len(part.rstrip()) <= width else re.findall(r"\s*\S+\s*", part):
            yield from (
                [piece]
                if len(piece.rstrip()) <= width
                else [piece[start : start + width] for start in range(0, len(piece), width)]
            )


def _parts(name: str) -> list[str]:
    """The parts of a name, the first one its method, each with what stands before it."""
    first, *rest = _BETWEEN.split(name)
    return [first, *(between + part for between, part in zip(rest[::2], rest[1::2], strict=True))]


def _unshared(names: Sequence[str]) -> list[list[str]]:
    """The parts of each name, without those that every name of its method has."""
    parted = [_parts(name) for name in names]
    found = []
    for parts in parted:
        fellows = [set(other) for other in parted if other[0] == parts[0]]
        shared = set.intersection(*fellows) if len({tuple(sorted(one)) for one in fellows}) > 1 else set()
        found.append([parts[0], *(part for part in parts[1:] if part not in shared)])
    return found


def _dropped(parts: list[str], others: Sequence[list[str]], longest: int) -> str:
    """The parts joined; while that is too long, without the last of those that most names have and without which it is
    no other's."""
    seen = Counter(part for other in others for part in set(other))
    kept = list(parts)
    for part in sorted(parts[:0:-1], key=lambda part: -seen[part]):
        if len("".join(kept)) <= longest:
            break
        left = [one for one in kept if one != part]
        if not any(set(left) <= set(other) for other in others if other != parts):
            kept = left
    return "".join(kept)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    tail = (longest - len(_CUT)) * 2 // 3
    return f"{text[: longest - len(_CUT) - tail]}{_CUT}{text[-tail:]}"


def _numbered(names: Sequence[str], cut: Sequence[str]) -> list[str]:
    """`cut`, numbered where different names came out the same."""
    meant: dict[str, list[str]] = {}
    for name, text in zip(names, cut, strict=True):
        if name not in meant.setdefault(text, []):
            meant[text].append(name)
    return [
        text if len(meant[text]) == 1 else f"{text} ({meant[text].index(name) + 1})"
        for name, text in zip(names, cut, strict=True)
    ]
