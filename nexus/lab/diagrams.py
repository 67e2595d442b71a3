"""Mermaid diagrams as SVG that takes the colours of the page, drawn without a browser.

merman (https://github.com/Latias94/merman) has wheels for some platforms only; where it is missing,
a diagram is shown as its source.
"""

import json
import re
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", SVG)

INK, PAPER, LINE, NOTE, PAGE = "#0a0b0c", "#0d0e0f", "#1a1b1c", "#2a2b2c", "#3a3b3c"
# The colours that merman is given stand for those of the page.
COLOURS = {
    INK: "var(--ink)",
    PAPER: "var(--diagram-paper)",
    LINE: "var(--diagram-line)",
    NOTE: "var(--diagram-note)",
    PAGE: "var(--paper)",
}
THEME = {
    "background": PAPER,
    "edgeLabelBackground": PAGE,
    "fontFamily": "system-ui, sans-serif",
    "fontSize": "15px",
    **dict.fromkeys(
        ("primaryColor", "secondaryColor", "mainBkg", "actorBkg", "labelBoxBkgColor"), PAPER
    ),
    **dict.fromkeys(
        (
            "tertiaryColor",
            "clusterBkg",
            "noteBkgColor",
            "activationBkgColor",
        ),
        NOTE,
    ),
    **dict.fromkeys(
        (
            "primaryBorderColor",
            "secondaryBorderColor",
            "tertiaryBorderColor",
            "nodeBorder",
            "clusterBorder",
            "actorBorder",
            "actorLineColor",
            "labelBoxBorderColor",
            "noteBorderColor",
            "activationBorderColor",
        ),
        LINE,
    ),
    **dict.fromkeys(
        (
            "primaryTextColor",
            "secondaryTextColor",
            "tertiaryTextColor",
            "textColor",
            "nodeTextColor",
            "titleColor",
            "lineColor",
            "actorTextColor",
            "signalColor",
            "signalTextColor",
            "labelTextColor",
            "loopTextColor",
            "noteTextColor",
            "stateLabelColor",
            "transitionColor",
            "transitionLabelColor",
            "specialStateColor",
        ),
        INK,
    ),
}
ELEMENTS = {
    "svg", "g", "defs", "marker", "path", "rect", "circle", "ellipse", "line", "polygon", "polyline",
    "text", "tspan", "style", "symbol",
}  # fmt: skip
# Colours are the style sheet's business; the rest names what script would use.
DROPPED = re.compile(r"^(on.*|data-.*|.*href|name|role|aria-.*|stroke|fill|filter|color)$")
# A hundredth of a pixel will do.
PLACES = {
    "d",
    "points",
    "transform",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "width",
    "height",
    "viewBox",
}
FRACTION = re.compile(r"-?\d+\.\d{3,}")
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|(?:rgb|hsl)a?\([^)]*\)")
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
    options = {
        "site_config": {
            "theme": "base",
            "look": "classic",
            "htmlLabels": False,
            "flowchart": {"htmlLabels": False, "padding": 14, "rankSpacing": 40},
            "sequence": {"mirrorActors": False, "actorFontSize": 15, "messageFontSize": 15,
                         "noteFontSize": 14, "height": 44, "width": 124, "actorMargin": 44,
                         "messageMargin": 38, "diagramMarginX": 6, "diagramMarginY": 6},
            "themeVariables": THEME,
        },
        "svg": {"diagram_id": name},
    }  # fmt: skip
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
    return merman.MermanEngine(None, None)


def _adopted(drawn: str, title: str) -> str:
    root = ElementTree.fromstring(drawn)  # noqa: S314 merman's own output, never a person's
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.removeprefix(f"{{{SVG}}}") not in ELEMENTS:
                parent.remove(child)
    classes = {name for each in root.iter() for name in each.get("class", "").split()}
    for each in root.iter():
        unwanted = [
            name for name, value in each.attrib.items() if value != "none" and DROPPED.match(name)
        ]
        for name in unwanted:
            del each.attrib[name]
        for name in PLACES & each.attrib.keys():
            each.set(name, FRACTION.sub(lambda found: f"{float(found[0]):.2f}", each.attrib[name]))
        if style := each.get("style"):
            each.set("style", _plain(style))
        if each.tag == f"{{{SVG}}}style":
            each.text = _rules(each.text or "", classes)
    width = root.get("viewBox", "0 0 0 0").split()[2]
    root.attrib.pop("style", None)
    root.attrib.pop("width", None)
    root.set("role", "img")
    root.set("width", width)
    caption = ElementTree.Element(f"{{{SVG}}}title")
    caption.text = title
    root.insert(0, caption)
    return ElementTree.tostring(root, encoding="unicode")


def _plain(style: str) -> str:
    kept = [
        part.strip()
        for part in style.split(";")
        if part.strip() and not re.match(r"\s*(fill|stroke|color|filter)\s*:(?!\s*none)", part)
    ]
    text = "; ".join(kept)
    return "" if LOADS.search(text) else text


def _rules(sheet: str, classes: set[str]) -> str:
    # A style sheet for every kind of diagram comes with each: keep what this one uses.
    kept = []
    for selectors, body in RULE.findall(
        re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*\}", "", sheet)
    ):
        used = [each for each in selectors.split(",") if set(CLASS.findall(each)) <= classes]
        body = re.sub(r"(?<![\w-])(filter|box-shadow|opacity)\s*:[^;]*;?", "", body)
        if used and body and ":root" not in selectors and not LOADS.search(body):
            kept.append(f"{','.join(used).strip()}{{{COLOUR.sub(_variable, body)}}}")
    return "".join(kept)


def _variable(match: re.Match[str]) -> str:
    # What merman mixed by itself is a line: lines are all that is left.
    return COLOURS.get(match[0].lower(), "var(--diagram-line)")
