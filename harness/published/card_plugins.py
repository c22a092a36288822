"""What a card says of code from outside this project."""

from __future__ import annotations

from harness.published.card_section import CardSection, Hash, Line


class PluginSection(CardSection):
    """A plug-in that made the run. `code` is the hash of its source; `checked` says whether `harness check` had passed
    it with this source where the run was published."""

    kind: Line
    name: Line
    code: Hash
    checked: bool
