"""What a browser says of a request: did its person ask, or a page on their behalf?

W3C, Fetch Metadata Request Headers, https://www.w3.org/TR/fetch-metadata/
"""

from collections.abc import Mapping
from typing import Literal

type Asked = Literal["by a program", "by a browser", "as a part of a page"]


def asked(method: str, headers: Mapping[str, str]) -> Asked:
    """Tell how a request came about, at a service that has no parts of pages: images, frames, scripts.

    `as a part of a page`, or by another site's form or script: it is refused, whoever says so, and a
    scanner that forges these headers learns nothing. `by a browser`: its person may have followed a link
    that somebody else wrote. Programs and old browsers say nothing.
    """
    site = headers.get("Sec-Fetch-Site")
    if not site:
        return "by a program"
    opened = headers.get("Sec-Fetch-Mode") == "navigate" and method in ("GET", "HEAD")
    part = headers.get("Sec-Fetch-Dest", "") not in ("", "empty", "document")
    foreign = site == "cross-site" and not opened
    return "as a part of a page" if part or foreign else "by a browser"
