"""Puts every script and style that a page names into the page, from the installed packages: nothing is fetched."""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import xstatic.pkg.leaflet as leaflet_package

from ..gis.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

LEAFLET_JS = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet.js"
LEAFLET_CSS = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet.css"
OWN = "lifecircle:"
"""Scheme of this product's own scripts and styles, which lie in ``assets``."""
_MEDIA = {".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif"}

_SCRIPT = re.compile(r"""<script[^>]*\bsrc\s*=\s*["']?([^"'\s>]+)["']?[^>]*>\s*</script>""", re.IGNORECASE)
_STYLE = re.compile(r"""<link[^>]*\bhref\s*=\s*["']?([^"'\s>]+)["']?[^>]*>""", re.IGNORECASE)
_CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)""")
_SOURCE_MAP = re.compile(r"(//[#@]|/\*[#@])\s*sourceMappingURL=.*$", re.MULTILINE)


@cache
def _leaflet(name: str) -> bytes:
    """Return a file of the installed Leaflet package."""
    return files(leaflet_package).joinpath("data", name).read_bytes()


def _image(match: re.Match[str]) -> str:
    """Return an image of Leaflet's style as data; ``#…`` names nothing that is fetched."""
    name = match[1]
    if name.startswith(("#", "data:")):
        return match[0]
    kind = _MEDIA[name[name.rindex(".") :]]
    return f"url(data:{kind};base64,{base64.b64encode(_leaflet(name)).decode('ascii')})"


@cache
def asset(url: str) -> str:
    """Return the text of a script or style that a page names by URL.

    Parameters
    ----------
    url
        One of folium's Leaflet URLs, or ``lifecircle:NAME`` for a file of ``assets``.

    Raises
    ------
    OutputError
        When no installed package holds it: a page that would fetch anything is never written.

    Examples
    --------
    >>> asset(LEAFLET_JS)[:10], "url(data:image/png" in asset(LEAFLET_CSS)
    ('/* @preser', True)
    >>> asset("https://example.org/a.js")
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.OutputError: no installed package holds https://example.org/a.js
    """
    if url == LEAFLET_JS:
        text = _leaflet("leaflet.js").decode("utf-8")
    elif url == LEAFLET_CSS:
        text = _CSS_URL.sub(_image, _leaflet("leaflet.css").decode("utf-8"))
    elif url.startswith(OWN):
        text = files(__package__).joinpath("assets", url.removeprefix(OWN)).read_text(encoding="utf-8")
    else:
        message = f"no installed package holds {url}"
        raise OutputError(message)
    return _SOURCE_MAP.sub("", text)


def inline(page: str) -> str:
    """Return a page with each script and style it names put in its place.

    Raises
    ------
    OutputError
        When the page names a file that no installed package holds.

    Examples
    --------
    >>> inline('<link rel="stylesheet" href="https://example.org/a.css"/>')
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.OutputError: no installed package holds https://example.org/a.css
    """

    def element(name: str, close: str) -> Callable[[re.Match[str]], str]:
        def put(match: re.Match[str]) -> str:
            return f"<{name}>{asset(match[1]).replace(close, close.replace('/', chr(92) + '/'))}{close}"

        return put

    page = _SCRIPT.sub(element("script", "</script>"), page)
    return _STYLE.sub(element("style", "</style>"), page)
