"""Text from files that strangers may have written, made safe to show."""

from __future__ import annotations

LONGEST = 200


def plain(text: str, longest: int = LONGEST) -> str:
    """`text` on one line without control characters (terminal escapes, direction overrides), at most `longest`
    characters."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def encodable(text: str) -> str:
    """`text` with a replacement character for every half of a surrogate pair, which no file and no request can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def counted(number: int, thing: str) -> str:
    """'1 run', '2 runs', '1 query', '12,000 queries'."""
    if number == 1:
        return f"1 {thing}"
    return f"{number:,} {thing[:-1]}ies" if thing.endswith("y") else f"{number:,} {thing}s"


def clock(seconds: float) -> str:
    """A duration for people: 8 s, 2 min 05 s, 1 h 12 min."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
