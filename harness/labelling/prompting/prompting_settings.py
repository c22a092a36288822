"""What a sweep file says of how a teacher is asked, and of what malformed answers become."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo, field_validator, model_validator
from pydantic_core import CoreSchema

from harness.errors import did_you_mean
from harness.labelling.prompting.text_cut import TOKENS_A_WORD
from harness.labelling.strategies.strategy import Strategy
from harness.plugins import Settings, plugins
from harness.validation import ErrorCollector, Fault, checked, failure

Presentation = Literal["first-stage", "shuffled", "reversed"]


class PromptingSettings(Settings):
    """How candidates are shown to the model. Every other key is a setting of the strategy."""

    strategy: str = Field("listwise", description="way of asking: see harness list strategies")
    prompt: str | None = Field(None, description="a bundled prompt or a .yaml file; by default the strategy's own")
    presentation: Presentation = Field("first-stage", description="order in which candidates are shown")
    shuffles: int = Field(
        1, ge=1, description="ask so many times, each time shuffled anew, and aggregate; costs as many times"
    )
    aggregate: Literal["borda", "kemeny"] = Field("borda", description="how several orders become one")
    seed: int = Field(0, description="another seed gives other shuffles")
    max_passage_words: int = Field(200, ge=1, description="words of a passage that the model is shown")
    max_passage_tokens: int | None = Field(
        None,
        ge=1,
        description="tokens of a passage that the model is shown at most, by its own tokenizer where that is here, "
        "else by a safe estimate; by default 8 for each of max_passage_words, which cuts text without words only",
    )
    max_query_tokens: int = Field(1600, ge=1, description="tokens of a query that the model is shown at most")
    defuse: bool = Field(
        True,
        description="identifiers inside passages and queries, as [12] or [3] > [1], are shown as (12) and (3) > (1), "
        "so that they are not taken for the prompt's own",
    )
    options: dict[str, Any] = Field(
        {}, validate_default=True, description="settings of the strategy; in the file they are keys of `ask` itself"
    )

    @property
    def passage_tokens(self) -> int:
        """Tokens of a passage at most, also where only its words are set."""
        return self.max_passage_tokens or TOKENS_A_WORD * self.max_passage_words

    @property
    def lengths(self) -> PromptingSettings:
        """Only how long texts may be, for whoever asks in a way of its own."""
        return PromptingSettings(
            max_passage_words=self.max_passage_words,
            max_passage_tokens=self.max_passage_tokens,
            max_query_tokens=self.max_query_tokens,
        )

    @property
    def length_key(self) -> Any:
        """What `lengths` are in a key: the words alone, unless more is set."""
        key = self.lengths.key()
        later = {name: key[name] for name in ("max_passage_tokens", "max_query_tokens") if name in key}
        return {"words": self.max_passage_words, **later} if later else self.max_passage_words

    def key(self) -> dict[str, Any]:
        """What can change a prompt. Settings that came later count where they are set, so that nothing else has a new
        key."""
        later = {
            name
            for name in ("max_passage_tokens", "max_query_tokens", "defuse")
            if getattr(self, name) == type(self).model_fields[name].default
        }
        return self.model_dump(mode="json", exclude={"prompt", *later})

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"strategy": value}
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("shuffle"), bool):
            value = {"presentation": "shuffled" if value["shuffle"] else "first-stage"} | {
                k: v for k, v in value.items() if k != "shuffle"
            }
        own = {key: item for key, item in value.items() if key in cls.model_fields}
        return own | {"options": {key: item for key, item in value.items() if key not in own} | own.get("options", {})}

    @field_validator("strategy")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in plugins(Strategy):
            raise failure([Fault((), f"unknown strategy '{name}'", did_you_mean(name, plugins(Strategy)))])
        return name

    @field_validator("options")
    @classmethod
    def _fitting(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        kind = plugins(Strategy).get(info.data.get("strategy", ""))
        if kind is None:
            return options
        collector, own = ErrorCollector(), kind.Settings.model_fields
        known = {*own, *cls.model_fields, "shuffle"} - {"options"}
        for key in options.keys() - own.keys():
            message = f"unknown key '{key}' for the strategy '{kind.name}'"
            collector.faults.append(Fault((key,), message, did_you_mean(str(key), known)))
        found = collector.attempt(
            (), lambda: checked(kind.Settings, {key: item for key, item in options.items() if key in own})
        )
        collector.finish()
        return {} if found is None else found.model_dump(mode="json")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema: dict[str, Any] = handler.resolve_ref_schema(handler(core))
        properties = schema["properties"]
        del properties["options"]
        for kind in plugins(Strategy).values():
            for key, value in (
                kind.Settings.model_json_schema()["properties"].items() if kind.Settings.model_fields else ()
            ):
                properties.setdefault(key, value)
        properties["strategy"]["enum"] = list(plugins(Strategy))
        properties["shuffle"] = {"type": "boolean", "description": "short for presentation: shuffled"}
        return schema


class OnMalformed(Settings):
    """What becomes of answers that are not as asked. Nothing ever becomes the order of presentation unless `repair` is
    asked for."""

    reask: int = Field(
        0, ge=0, description="ask again so many times while the answer is failed or partial; the best one counts"
    )
    then: Literal["partial", "repair", "drop"] = Field(
        "partial",
        description="partial: unplaced candidates stay a tail without order; repair: they follow as shown; drop: the "
        "label has failed",
    )
