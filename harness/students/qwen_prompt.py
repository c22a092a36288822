"""The prompt of Qwen3-Reranker: an instruction, the query and the document in a chat, answered by yes or no (Zhang et
al., arXiv 2506.05176; its model card on the Hugging Face hub gives the form to the letter)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from harness.pretrained.model_folder import read_json
from harness.students.tokenised import TransformerTokens

INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
"""What the model card takes where nobody gives an instruction."""
_BEFORE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
_AFTER = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
QWEN3_TEMPLATE = (
    f"{{%- set n = namespace(instruction={INSTRUCTION!r}, query='', document='') -%}}"
    "{%- for m in messages -%}"
    "{%- if m.role == 'query' -%}{%- set n.query = m.content -%}"
    "{%- elif m.role == 'document' -%}{%- set n.document = m.content -%}"
    "{%- elif m.role == 'system' -%}{%- set n.instruction = m.content -%}{%- endif -%}"
    "{%- endfor -%}"
    f"{{{{ {_BEFORE!r} }}}}"
    "{{ '<Instruct>: ' + n.instruction + '\\n<Query>: ' + n.query + '\\n<Document>: ' + n.document }}"
    f"{{{{ {_AFTER!r} }}}}"
)
"""The form as a chat template with a role for the query and one for the document, which sentence-transformers fills; a
system message is the instruction."""


def lacks_template(folder: Path) -> bool:
    """Whether a decoder of this family has no chat template with roles for a query and a document, so that its pairs
    take the form of the model card."""
    if read_json(folder / "config.json").get("model_type") != "qwen3":
        return False
    file = folder / "chat_template.jinja"
    saved = file.read_text(encoding="utf-8") if file.is_file() else ""
    template = saved or str(read_json(folder / "tokenizer_config.json").get("chat_template") or "")
    return not ("query" in template and "document" in template)


def framed_pairs(
    tokenizer: Any, pairs: list[tuple[str, str]], instruction: str | None, max_length: int, constants: dict[str, Any]
) -> TransformerTokens:
    """Pairs in the form, of which query and document together are cut to `max_length` tokens, at the end of the
    document as the model card cuts them; what stands around them stays whole, and comes in addition."""
    asked = f"<Instruct>: {instruction or INSTRUCTION}\n"
    around = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (_BEFORE, asked, _AFTER))
    before, instructed, after = around
    longest = max_length + len(instructed)
    bodies = [f"{asked}<Query>: {query}\n<Document>: {document}" for query, document in pairs]
    cut = tokenizer(bodies, add_special_tokens=False, truncation=True, max_length=longest)["input_ids"]
    ids = [np.array([*before, *body, *after], dtype=np.int32) for body in cut]
    lengths = np.array([len(row) for row in ids], dtype=np.int64)
    # Padding stands on the left and must not move the text.
    places = [np.arange(length, dtype=np.int32) for length in lengths]
    columns = {"input_ids": ids, "position_ids": places}
    return TransformerTokens(columns, lengths, tokenizer.pad_token_id, pads_left=True, constants=constants)
