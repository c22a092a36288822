"""How vLLM is told what a well-formed answer is.

Choices go to its structured outputs. Permutations go to our own logits processor (_in_vllm.py) in servers and engines
of our own. Servers started by others have none: there a grammar says it for up to eight passages, whose sets have few
enough states, and for more a regular expression gives the form only: identifiers of shown passages, as many as there
are, perhaps one twice.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from harness.labelling.strategies.strategy import AnswerFormat

_GRAMMAR = 8
"""Most passages whose permutations a grammar holds: 2^n rules."""


def constraint(answer: AnswerFormat, own: bool) -> dict[str, Any]:
    """Parts of a request's body. `own`: the server or engine was started by the harness, with the logits processor."""
    if answer.choices:
        return {"structured_outputs": {"choice": list(answer.choices)}}
    if own:
        return {"vllm_xargs": {"permutation": answer.permutation}}
    if answer.permutation <= _GRAMMAR:
        return {"structured_outputs": {"grammar": permutation_grammar(answer.permutation)}}
    return {"structured_outputs": {"regex": permutation_form(answer.permutation)}}


@cache
def permutation_grammar(count: int) -> str:
    """The permutations of 1 to `count` in EBNF (as xgrammar and llguidance read it): one rule for every set of what is
    left."""
    whole = (1 << count) - 1
    rules = [f"root ::= {_rule(whole, '', count)}"]
    rules += [f"left{left} ::= {_rule(left, ' > ', count)}" for left in range(1, whole)]
    return "\n".join(rules)


def _rule(left: int, joint: str, count: int) -> str:
    parts = []
    for number in range(count):
        if left >> number & 1:
            rest = left & ~(1 << number)
            parts.append(f'"{joint}[{number + 1}]"' + (f" left{rest}" if rest else ""))
    return " | ".join(parts)


def permutation_form(count: int) -> str:
    """A regular expression of `count` identifiers out of 1 to `count`."""
    one = rf"\[({'|'.join(map(str, range(1, count + 1)))})\]"
    return f"{one}( > {one}){{{count - 1}}}"
