"""The JSON schema of sweep files, for editors: completes and checks keys, names and settings of everything that is
installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from harness.config.annotations import accepts_list, fields_by_key
from harness.config.definitions import PATTERN
from harness.config.method_entries import MethodKeys
from harness.config.parts import DENSE
from harness.config.registries import Registries
from harness.config.sweep_file import SweepFile
from harness.config.tuning import Tune
from harness.config.value_types import BudgetRange
from harness.config.variants import ROLES
from harness.plugins import Plugin
from harness.validation import models_in

Schema = dict[str, Any]

_NOTES = ("description", "default")


def sweep_schema(registries: Registries | None = None) -> Schema:
    """JSON schema (draft 2020-12) of a sweep file. It knows no data and no names that a file defines, so it accepts a
    few wrong files."""
    found = registries or Registries.installed()
    schema = SweepFile.model_json_schema()
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["extends"]}]
    parts: dict[str, Schema] = schema.pop("$defs")
    for part in (schema, *parts.values()):
        part["properties"] = {key: _or_one(value) for key, value in part["properties"].items()}
    defs = parts | _plugin_parts(found)
    _fill(schema, defs, found)
    defs = {name: _referring(part) for name, part in _untitled(defs).items()}
    defs["reference"] = {"type": "string", "pattern": PATTERN, "description": "a value out of `definitions`"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_referring(_untitled(schema)), "$defs": defs}


def _fill(schema: Schema, defs: dict[str, Schema], found: Registries) -> None:
    """Puts what depends on the installed plug-ins where the model of the file has gaps."""
    fields, candidates = schema["properties"], defs["Candidates"]["properties"]
    engine = {"anyOf": [*_names(found.engines.values()), {"type": "string", "pattern": f"^{DENSE}."}]}
    candidates["engine"] = _notes(candidates["engine"]) | _many(engine)
    del candidates["engine_settings"], fields["candidates"]["default"]
    for key, options in _engine_settings(found, defs).items():
        candidates.setdefault(key, options[0] if len(options) == 1 else {"anyOf": options})
    for role in ROLES:
        defs["Losses"]["properties"][role] = _notes(defs["Losses"]["properties"][role]) | _many(_ref(f"loss.{role}"))
    defs["BudgetRange"] = BudgetRange.model_json_schema()
    fields["budgets"]["anyOf"].append(_ref("BudgetRange"))
    defs["Tune"] = Tune.model_json_schema()
    # A file that extends another may say a part of the section only.
    del defs["Tune"]["required"]
    reader = defs["QASettings"]["properties"]["reader"]
    defs["QASettings"]["properties"]["reader"] = _notes(reader) | {
        "anyOf": [{"type": "string"}, _ref("teacher"), {"type": "null"}]
    }
    retriever = defs["Students"]["properties"]["retriever"]
    defs["Students"]["properties"]["retriever"] = _notes(retriever) | {"anyOf": [*retriever["anyOf"], _ref("student")]}
    fields["tune"] = _notes(fields["tune"]) | {"anyOf": [_ref("Tune"), {"type": "null"}]}
    fields["collections"] = _notes(fields["collections"]) | _many(_ref("collection"))
    fields["teachers"] |= {"type": "object", "additionalProperties": _ref("teacher")}
    fields["methods"] |= {"type": "array", "minItems": 1, "items": _ref("method")}


def _engine_settings(found: Registries, defs: dict[str, Schema]) -> dict[str, list[Schema]]:
    options: dict[str, list[Schema]] = {}
    for plugin in found.engines.values():
        for key, value in _settings(plugin, "engine", defs)["properties"].items():
            options.setdefault(key, []).append(value)
    return {
        key: [value for index, value in enumerate(values) if value not in values[:index]]
        for key, values in options.items()
    }


def _plugin_parts(found: Registries) -> dict[str, Schema]:
    """Schemas of one teacher, one method, one loss for each role and one collection, with whatever these refer to."""
    defs: dict[str, Schema] = {}
    defs["teacher"] = {"anyOf": [_picked(plugin, "kind", "teacher", defs) for plugin in found.teachers.values()]}
    students = (_picked(plugin, "type", "student", defs) for plugin in found.students.values())
    defs["student"] = {"anyOf": [_with_model(schema) for schema in students]}
    for role in ROLES:
        fitting = [loss for loss in found.losses.values() if loss.role in (role, "both")]
        defs[f"loss.{role}"] = {"anyOf": [*_names(fitting), *(_picked(loss, "name", "loss", defs) for loss in fitting)]}
    defs["method"] = {
        "anyOf": [*_names(found.methods.values()), *(_method(plugin, defs) for plugin in found.methods.values())]
    }
    sources = found.collections.values()
    pattern = {"type": "string", "pattern": f"^({'|'.join(found.collections)})[/:]."}
    defs["collection"] = {"anyOf": [*_names(sources), pattern, *(_source(source, defs) for source in sources)]}
    return defs


def _names(plugins: Iterable[type[Plugin]]) -> list[Schema]:
    """Plug-ins picked by name alone: those without required settings."""
    return [
        {"const": plugin.name, "description": plugin.summary}
        for plugin in plugins
        if not any(field.is_required() for field in plugin.Settings.model_fields.values())
    ]


def _picked(plugin: type[Plugin], key: str, kind: str, defs: dict[str, Schema]) -> Schema:
    """``{key: NAME, **settings}``."""
    schema = _settings(plugin, kind, defs)
    properties = {key: {"const": plugin.name, "description": plugin.summary}, **schema["properties"]}
    return schema | {
        "description": plugin.summary,
        "properties": properties,
        "required": [key, *schema.get("required", [])],
    }


def _with_model(schema: Schema) -> Schema:
    model = {"type": "string", "minLength": 1, "description": "what it is made from"}
    return schema | {"properties": {**schema["properties"], "model": model}, "required": [*schema["required"], "model"]}


def _method(plugin: type[Plugin], defs: dict[str, Schema]) -> Schema:
    schema = _picked(plugin, "method", "method", defs)
    own = MethodKeys.model_json_schema(ref_template="#/$defs/{model}")["properties"]
    own["budgets"]["anyOf"].append(_ref("BudgetRange"))
    properties = schema["properties"] | {key: _or_one(value) for key, value in own.items() if key != "method"}
    for role in ROLES:
        if (key := f"{role}_loss") in properties:
            properties[key] = _notes(properties[key]) | _many(_ref(f"loss.{role}"))
    return schema | {"properties": properties}


def _source(plugin: type[Plugin], defs: dict[str, Schema]) -> Schema:
    """``{source: NAME, **settings}``, or without ``source`` when one setting has the name itself."""
    schema = _picked(plugin, "source", "collection", defs)
    if plugin.name in plugin.Settings.model_fields:
        schema["required"] = [plugin.name]
    return schema


def _settings(plugin: type[Plugin], kind: str, defs: dict[str, Schema]) -> Schema:
    """The settings of a plug-in; models inside them go to `defs` under its name. Those of methods may be axes."""
    prefix = f"{kind}.{plugin.name}"
    schema = plugin.Settings.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
    inner: dict[str, Schema] = schema.pop("$defs", {})
    schema.setdefault("properties", {})
    if kind == "method":
        _allow_axes(schema, plugin.Settings, inner)
    defs.update({f"{prefix}.{name}": part for name, part in inner.items()})
    return schema


def _allow_axes(schema: Schema, model: type[BaseModel], inner: Mapping[str, Schema]) -> None:
    for key, field in fields_by_key([model]).items():
        for nested in models_in(field.annotation):
            if nested.__name__ in inner and nested is not model:
                _allow_axes(inner[nested.__name__], nested, inner)
        if not accepts_list(field.annotation):
            value = schema["properties"][key]
            schema["properties"][key] = _notes(value) | _many(_bare(value))


def _or_one(value: Schema) -> Schema:
    """A list in the model of the file may be written as its only item."""
    options = list(_options(value))
    items = [option["items"] for option in options if option.get("type") == "array"]
    return _notes(value) | {"anyOf": [*(_bare(option) for option in options), *items]} if items else value


def _options(value: Schema) -> Iterator[Schema]:
    """The alternatives of a value, those inside alternatives too."""
    nested = value.get("anyOf") or value.get("oneOf")
    if nested is None:
        yield value
    for option in nested or ():
        yield from _options(option)


def _many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _notes(schema: Schema) -> Schema:
    return {key: schema[key] for key in _NOTES if key in schema}


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in _NOTES}


def _untitled(schema: Schema) -> Schema:
    """A schema without what no editor needs: titles that repeat the keys, marks of our own. A property of such a name
    stays."""
    kept = {key: value for key, value in schema.items() if key not in ("title", "transport") or isinstance(value, dict)}
    return {key: _each(value) for key, value in kept.items()}


def _each(value: Any) -> Any:
    if isinstance(value, dict):
        return _untitled(value)
    return [_each(item) for item in value] if isinstance(value, list) else value


def _referring(schema: Schema) -> Schema:
    """A schema in which every value may also be a ``$name``."""
    changed = dict(schema)
    if "properties" in schema:
        changed["properties"] = {key: _or_reference(value) for key, value in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            changed[key] = _or_reference(schema[key])
    if "anyOf" in schema:
        changed["anyOf"] = [_referring(option) for option in schema["anyOf"]]
    return changed


def _or_reference(schema: Schema) -> Schema:
    if "const" in schema or (schema.get("type") == "string" and "pattern" not in schema and "enum" not in schema):
        return schema
    inner = _referring(_bare(schema))
    options = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    return _notes(schema) | {"anyOf": [*options, _ref("reference")]}
