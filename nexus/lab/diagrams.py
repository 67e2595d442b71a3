"""Mermaid diagrams as SVG that takes the colours of the page, drawn without a browser.

merman (https://github.com/Latias94/merman) has wheels for some platforms only; where it is missing,
a diagram is shown as its source.
"""

import atexit
import json
import re
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", SVG)

# The colours that merman is given stand for those of the page.
INK, PAPER, LINE, NOTE, PAGE = "#0a0b0c", "#0d0e0f", "#1a1b1c", "#2a2b2c", "#3a3b3c"
COLOURS = {
    INK: "var(--ink)",
    PAPER: "var(--diagram-paper)",
    LINE: "var(--diagram-line)",
    NOTE: "var(--diagram-note)",
    PAGE: "var(--paper)",
}
ROLES = {
    PAPER: "background primaryColor secondaryColor mainBkg actorBkg labelBoxBkgColor",
    PAGE: "edgeLabelBackground",
    NOTE: "tertiaryColor clusterBkg noteBkgColor activationBkgColor",
    LINE: "primaryBorderColor secondaryBorderColor tertiaryBorderColor nodeBorder clusterBorder"
    " actorBorder actorLineColor labelBoxBorderColor noteBorderColor activationBorderColor",
    INK: "primaryTextColor secondaryTextColor tertiaryTextColor textColor nodeTextColor titleColor"
    " lineColor actorTextColor signalColor signalTextColor labelTextColor loopTextColor noteTextColor"
    " stateLabelColor transitionColor transitionLabelColor specialStateColor",
}
THEME = {role: colour for colour, roles in ROLES.items() for role in roles.split()}
SITE = {
    "theme": "base",
    "look": "classic",
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False, "padding": 14, "rankSpacing": 40},
    "sequence": {
        "mirrorActors": False, "actorFontSize": 15, "messageFontSize": 15, "noteFontSize": 14,
        "height": 44, "width": 124, "actorMargin": 44, "messageMargin": 38,
        "diagramMarginX": 6, "diagramMarginY": 6,
    },
    "themeVariables": {"fontFamily": "system-ui, sans-serif", "fontSize": "15px", **THEME},
}  # fmt: skip
ELEMENTS = {
    "svg", "g", "defs", "marker", "path", "rect", "circle", "ellipse", "line", "polygon", "polyline",
    "text", "tspan", "style", "symbol",
}  # fmt: skip
# The names of what script would use, and shadows.
DROPPED = re.compile(r"^(on.*|data-.*|.*href|name|role|aria-.*|filter)$")
FRACTION = re.compile(r"-?\d+\.\d{3,}")
DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;{}]*)")
PAINTED = {"fill", "color", "stroke", "background-color"}
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
CLASS = re.compile(r"\.([A-Za-z][\w-]*)")
LOADS = re.compile(r"url\(\s*[^#\s]|@import|expression|javascript:", re.IGNORECASE)


@lru_cache(maxsize=128)
def svg(source: str, name: str, title: str) -> str | None:
    """Draw a Mermaid diagram; None if it cannot be drawn here.

    Args:
        name: its id in the page.
        title: what it shows, for those who do not see it.
    """
    engine = _engine()
    if engine is None:
        return None
    options = {"site_config": SITE, "svg": {"diagram_id": name}}
    try:
        drawn = engine.render_svg(source, json.dumps(options))
    except Exception:
        return None  # the binding has one type of exception for each kind of mistake
    return _adopted(drawn, title)


@cache
def _engine() -> Any:
    try:
        import merman  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return None
    # Dropped before the interpreter takes its modules apart, of which it would complain.
    atexit.register(_engine.cache_clear)
    return merman.MermanEngine(None, None)


def _adopted(drawn: str, title: str) -> str:
    root = ElementTree.fromstring(drawn)  # noqa: S314 merman's own output, never a person's
    classes = {name for each in root.iter() for name in each.get("class", "").split()}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.removeprefix(f"{{{SVG}}}") not in ELEMENTS:
                parent.remove(child)
    for each in root.iter():
        kept = {name: value for name, value in each.attrib.items() if not DROPPED.match(name)}
        each.attrib = {name: _attribute(name, value) for name, value in kept.items()}
        if each.tag == f"{{{SVG}}}style":
            each.text = _rules(each.text or "", classes)
    width = root.get("viewBox", "0 0 0 0").split()[2]
    root.attrib.pop("style", None)
    root.attrib |= {"role": "img", "width": width}
    caption = ElementTree.Element(f"{{{SVG}}}title")
    caption.text = title
    root.insert(0, caption)
    return ElementTree.tostring(root, encoding="unicode")


def _attribute(name: str, value: str) -> str:
    if name == "style":
        return _declarations(value)
    if name in PAINTED:
        return _paint(name, value)
    # A hundredth of a pixel will do.
    return FRACTION.sub(lambda found: f"{float(found[0]):.2f}", value)


def _rules(sheet: str, classes: set[str]) -> str:
    # A style sheet for every kind of diagram comes with each: keep what this one uses.
    kept = []
    for selectors, body in RULE.findall(
        re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*\}", "", sheet)
    ):
        used = [each for each in selectors.split(",") if set(CLASS.findall(each)) <= classes]
        if used and ":root" not in selectors and (said := _declarations(body)):
            kept.append(f"{','.join(used).strip()}{{{said}}}")
    return "".join(kept)


def _declarations(text: str) -> str:
    found = [(name, _paint(name, value.strip())) for name, value in DECLARATION.findall(text)]
    return "".join(
        f"{name}:{value};"
        for name, value in found
        if value and name not in ("filter", "box-shadow", "opacity") and not LOADS.search(value)
    )


def _paint(name: str, value: str) -> str:
    """The page's own colour for what merman says; what it mixed by itself is paper, or a line."""
    if name not in PAINTED:
        return value
    colour, _, important = value.partition("!")
    plain = colour.strip().lower()
    if plain in ("none", "inherit", "transparent", "currentcolor"):
        return value
    mixed = LINE if name == "stroke" else INK if name == "color" else PAPER
    return COLOURS.get(plain, COLOURS[mixed]) + ("!" + important if important else "")
