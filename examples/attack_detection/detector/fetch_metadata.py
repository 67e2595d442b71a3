"""What a browser says of a request: did its person ask, or another site's page on their behalf?

W3C, Fetch Metadata Request Headers, https://www.w3.org/TR/fetch-metadata/
"""

from collections.abc import Mapping
from typing import Literal

type Asked = Literal["itself", "by a link", "for another page"]


def asked(method: str, headers: Mapping[str, str]) -> Asked:
    """Tell how a request came about.

    `for another page`: an image, a frame, a form or a script there. It is refused, whoever says so: a
    scanner that forges these headers learns nothing. `by a link`: a page was opened, perhaps by a link
    that somebody else wrote. Programs and old browsers say nothing, and ask for themselves.
    """
    mode = headers.get("Sec-Fetch-Mode", "")
    opened = mode == "navigate" and method in ("GET", "HEAD")
    whole = headers.get("Sec-Fetch-Dest", "document") == "document"
    if headers.get("Sec-Fetch-Site") == "cross-site" and not (opened and whole):
        return "for another page"
    return "by a link" if opened and headers.get("Sec-Fetch-Site") else "itself"
