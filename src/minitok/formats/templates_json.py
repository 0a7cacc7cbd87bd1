"""The post-processors of `tokenizer.json`, as templates."""

from __future__ import annotations

from typing import Any

from minitok.formats.json_documents import DAMAGED, field
from minitok.templates import Template

__all__ = ["read_template", "write_template"]

#: A template of more ids is a sign of damage: each may stand for many. (Those in use have up to ten.)
MOST_IDS = 1000


def read_template(part: Any, source: str) -> Template | None:
    """The template that a post-processor is; None if it adds no ids.

    Raises:
        ValueError: it is of a type that is not known here, or damaged.
    """
    if part is None:
        return None
    if not isinstance(part, dict):
        raise ValueError(f"{source}: the post_processor is not an object; {DAMAGED}")
    kind = part.get("type")
    if kind == "ByteLevel":  # about offsets alone
        return None
    if kind == "Sequence":
        parts = [read_template(inner, source) for inner in field(part, "processors", list, source)]
        found = [template for template in parts if template is not None]
        if len(found) > 1:
            raise ValueError(f"{source}: a post_processor with {len(found)} templates is not supported")
        return found[0] if found else None
    if kind in ("RobertaProcessing", "BertProcessing"):
        start, end = _pair(part, "cls", source), _pair(part, "sep", source)
        middle = (end, end) if kind == "RobertaProcessing" else (end,)
        return Template((start, "A", end), (start, "A", *middle, "B", end))
    if kind == "TemplateProcessing":
        return _read_parts(part, source)
    raise ValueError(f"{source}: the post_processor {str(kind)[:60]!r} is not supported")


def _pair(part: dict[str, Any], key: str, source: str) -> int:
    value = part.get(key)
    if not (isinstance(value, list) and len(value) == 2 and type(value[1]) is int):
        raise ValueError(f"{source}: the post_processor's {key!r} is not a token and its id; {DAMAGED}")
    return value[1]


def _read_parts(part: dict[str, Any], source: str) -> Template | None:
    special = field(part, "special_tokens", dict, source, {})
    single, pair = (_read_list(field(part, key, list, source, []), special, source) for key in ("single", "pair"))
    pair = () if pair == ("A", "B") else pair
    if single == ("A",) and not pair:
        return None
    try:
        return Template(single, pair)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _read_list(items: list[Any], special: dict[str, Any], source: str) -> tuple[int | str, ...]:
    out: list[int | str] = []
    for item in items:
        try:
            if "Sequence" in item:
                out.append(str(item["Sequence"]["id"]))
            else:
                ids = special[item["SpecialToken"]["id"]]["ids"]
                if not all(type(i) is int for i in ids):
                    raise TypeError
                out += ids
            if len(out) > MOST_IDS:
                raise TypeError
        except (KeyError, TypeError):
            raise ValueError(f"{source}: the post_processor has {str(item)[:80]!r}; {DAMAGED}") from None
    return tuple(out)


def write_template(template: Template | None, names: dict[int, str]) -> dict[str, Any] | None:
    """The post-processor of a template; `names` are those of special tokens, by id."""
    if template is None:
        return None
    used = sorted({part for part in (*template.single, *template.pair) if isinstance(part, int)})
    spelt = {i: names.get(i, f"<{i}>") for i in used}

    def parts(items: tuple[int | str, ...]) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for item in items:
            second = any("Sequence" in part and part["Sequence"]["id"] == "B" for part in out) or item == "B"
            key, name = ("SpecialToken", spelt[item]) if isinstance(item, int) else ("Sequence", item)
            out.append({key: {"id": name, "type_id": int(second)}})
        return out

    return {
        "type": "TemplateProcessing",
        "single": parts(template.single),
        "pair": parts(template.pair or ("A", "B")),
        "special_tokens": {spelt[i]: {"id": spelt[i], "ids": [i], "tokens": [spelt[i]]} for i in used},
    }
