"""Guided answers: whatever the machines allow is well-formed, and everything well-formed is allowed."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.labelling.labels.parser import parse
from harness.labelling.strategies.strategy import AnswerFormat
from harness.llm.guided_decoding import constraint, permutation_form, permutation_grammar
from harness.llm.permutation import Choices, Guide, Machine, Permutation, Vocabulary, vocabulary

END = 999
TEXTS = [
    "[",
    "]",
    ">",
    " ",
    " >",
    " > ",
    "] >",
    "] > [",
    "[1",
    "1]",
    "]]",
    "  ",
    "foo",
    "A",
    "Passage",
    " A",
    "yes",
    "ye",
    "y",
    "s",
    "no",
]
WORDS = Vocabulary(dict(enumerate([*TEXTS, *map(str, range(30)), *"Pageno"])), frozenset({END}))


def written(guide: Guide, choose: random.Random, words: Vocabulary = WORDS) -> str:
    """A random walk over the allowed tokens."""
    tokens: list[int] = []
    while (token := choose.choice(guide.allowed(tokens))) != END:
        tokens.append(token)
        assert len(tokens) < 500
    return "".join(words.texts[token] for token in tokens)


@settings(deadline=None)
@given(st.integers(1, 23), st.randoms(use_true_random=False))
def test_whatever_is_allowed_is_a_permutation(count: int, choose: random.Random) -> None:
    text = written(Guide(Permutation(count), WORDS), choose)
    found = parse(text, count)
    assert (found.verdict, found.reasons) == ("ok", ())
    assert sorted(found.order) == list(range(1, count + 1))
    assert text == " > ".join(f"[{number}]" for number in found.order)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_permutation_can_be_written(count: int) -> None:
    letters = Guide(Permutation(count), WORDS)
    numbers = {text: number for number, text in WORDS.texts.items()}
    for order in itertools.permutations(range(1, count + 1)):
        tokens: list[int] = []
        for char in " > ".join(f"[{number}]" for number in order):
            assert numbers[char] in letters.allowed(tokens)
            tokens.append(numbers[char])
        assert letters.allowed(tokens) == [END]
        assert END not in letters.allowed(tokens[:-1])


def test_numbers_that_begin_alike_are_told_apart() -> None:
    guide, numbers = Guide(Permutation(11), WORDS), {text: number for number, text in WORDS.texts.items()}
    after = guide.allowed([numbers["["], numbers["1"]])
    assert {WORDS.texts[token] for token in after} == {"]", "0", "1", "1]", " > "} - {" > "} | {"] >", "] > ["}
    used = [numbers[part] for part in ("[1", "]", " > ", "[1")]
    assert numbers["]"] not in guide.allowed(used), "1 is used up; 10 and 11 are not"
    assert {numbers["0"], numbers["1"]} <= set(guide.allowed(used))


@given(st.randoms(use_true_random=False))
def test_choices_are_answered_by_one_of_them(choose: random.Random) -> None:
    texts = ("yes", "no", "yesno", "Passage A")
    assert written(Guide(Choices(texts), WORDS), choose) in texts


@pytest.mark.parametrize("machine", [Permutation(9), Choices(("yes", "no"))])
def test_after_an_end_there_are_only_ends(machine: Machine) -> None:
    guide = Guide(machine, WORDS)
    assert guide.allowed([END]) == guide.allowed([END, END]) == [END]
    assert guide.allowed([TEXTS.index("foo")]) == [END]


def test_a_vocabulary_that_cannot_spell_the_answers_is_refused() -> None:
    poor = Vocabulary({number: text for number, text in WORDS.texts.items() if text not in ("7", "8")}, WORDS.ends)
    with pytest.raises(ValueError, match="no token for '7', '8'"):
        Guide(Permutation(8), poor)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Byte-level BPE that has learned joints of permutations."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    raw.train_from_iterator(["[1] > [2] > [10] > [12]", "a [3] > [4]"] * 9, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<s>")


@settings(deadline=None)
@given(st.integers(1, 15), st.randoms(use_true_random=False))
def test_a_real_tokenizer_decodes_to_a_permutation(tokenizer: Any, count: int, choose: random.Random) -> None:
    words = vocabulary(tokenizer, [END])
    assert not {"<s>", ""} & set(words.texts.values())
    guide, tokens = Guide(Permutation(count), words), []
    while (token := choose.choice(guide.allowed(tokens))) != END:
        tokens.append(token)
    assert parse(tokenizer.decode(tokens), count).verdict == "ok"


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_grammar_is_exactly_the_permutations(count: int) -> None:
    rules = dict(line.split(" ::= ") for line in permutation_grammar(count).splitlines())

    def language(name: str) -> list[str]:
        found = []
        for alternative in rules[name].split(" | "):
            text, rest = re.fullmatch(r'"([^"]*)"(?: (\w+))?', alternative).groups()  # type: ignore[union-attr]
            found += [text + tail for tail in (language(rest) if rest else [""])]
        return found

    orders = itertools.permutations(range(1, count + 1))
    assert sorted(language("root")) == sorted(" > ".join(f"[{number}]" for number in order) for order in orders)


def test_the_form_of_long_permutations() -> None:
    form = re.compile(permutation_form(12))
    assert form.fullmatch(" > ".join(f"[{number}]" for number in range(12, 0, -1)))
    assert not form.fullmatch(" > ".join(f"[{number}]" for number in range(1, 12)))
    assert not form.fullmatch(" > ".join(f"[{number}]" for number in range(2, 14)))


def test_what_vllm_is_told() -> None:
    assert constraint(AnswerFormat(choices=("A", "B")), own=False) == {"structured_outputs": {"choice": ["A", "B"]}}
    assert constraint(AnswerFormat(permutation=20), own=True) == {"vllm_xargs": {"permutation": 20}}
    assert "grammar" in constraint(AnswerFormat(permutation=8), own=False)["structured_outputs"]
    assert "regex" in constraint(AnswerFormat(permutation=9), own=False)["structured_outputs"]
