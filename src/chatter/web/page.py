"""The chat's page for browsers: one HTML file, and the files that it loads.

The files are read from the package once.  What the HTML loads is in a folder whose name has a
hash of all of it, so that a browser may keep it for ever.  The HTML names that folder; a
browser checks each time whether it has changed.

Comments are for those who read the source.  They are not sent, but their lines are, empty, so
that what a browser says of a line is true of the source.  Lines are sent without indentation:
no text in the scripts has more than one line, and in HTML a new line is a space already.
"""

from __future__ import annotations

import re
from functools import cache
from gzip import compress
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from chatter.web.endpoint import JSONResource, MissingResource
from chatter.web.responses import Response

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from twisted.web.resource import Resource
    from twisted.web.server import Request

_HTML = "index.html"
_FOLDER_IN_HTML = b"{page}"

_TYPES = {
    "css": b"text/css; charset=utf-8",
    "html": b"text/html; charset=utf-8",
    # Modules are always read as UTF-8.
    "js": b"text/javascript",
    "svg": b"image/svg+xml",
}
"""The content types of the files, by their suffix; files with others are not served."""

# Those that have lines of their own.
_COMMENTS = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)

# The types of parameters and the like, within a line.
_INLINE_TYPES = re.compile(rb"/\*\* @[^*\n]*\*/ ")

_INDENTATION = re.compile(rb"^[ \t]+", re.MULTILINE)

_Headers = tuple[tuple[bytes, bytes], ...]

# Only the page's own files: no script of others, no request to others, no place in the
# frame of another site, and no text that is taken for HTML.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)
_OF_HTML: _Headers = (
    (b"Cache-Control", b"no-cache"),
    (b"Content-Security-Policy", _POLICY),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Permissions-Policy", b"camera=(), microphone=(), geolocation=()"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
)
_OF_ASSETS: _Headers = (
    (b"Cache-Control", b"public, max-age=31536000, immutable"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"X-Content-Type-Options", b"nosniff"),
)


class FileResource(JSONResource):
    """One file, compressed beforehand.

    :param content_type: of what is in it.
    :param headers: of every response with it.
    """

    methods = (b"GET", b"HEAD")

    def __init__(self, content: bytes, content_type: bytes, headers: _Headers) -> None:
        super().__init__()
        tag = _hash_of(content)
        vary = (b"Vary", b"Accept-Encoding")
        coding = (b"Content-Encoding", b"gzip")
        plain = (b"ETag", b'"%b"' % tag)
        packed = (b"ETag", b'"%b-gzip"' % tag)
        self._type = content_type
        self._plain = (content, plain[1], (*headers, vary, plain))
        # Always the same bytes for the same content: no time in them.
        self._packed = (compress(content, mtime=0), packed[1], (*headers, vary, packed, coding))

    async def respond(self, request: Request) -> Response:
        """Respond with the file, or with 304 to a browser that has it."""
        takes_gzip = accepts_gzip(request.getHeader(b"Accept-Encoding") or b"")
        body, tag, headers = self._packed if takes_gzip else self._plain
        if has_tag(request.getHeader(b"If-None-Match") or b"", tag):
            return Response(b"", 304, self._type, headers)
        return Response(body, 200, self._type, headers)


class AssetsResource(MissingResource):
    """The folder with what the HTML loads; it is nothing by itself."""

    isLeaf = False  # noqa: N815 - it is Twisted's name


class Page(NamedTuple):
    """The resources of a page.

    :ivar folder: the name of the folder with what the HTML loads.
    """

    html: FileResource
    folder: bytes
    assets: Resource

    def children(self) -> dict[bytes, Resource]:
        """The resources by their place below the chat's own."""
        return {b"": self.html, self.folder: self.assets}


@cache
def chat_page() -> Page:
    """The page that is in the package."""
    return read_page(resources.files("chatter").joinpath("page"))


def read_page(place: Traversable) -> Page:
    """Read a page: ``index.html``, in which ``{page}`` stands for the folder of all others.

    :raises OSError: if it can't be read.
    """
    html = _smaller(place.joinpath(_HTML).read_bytes())
    contents = {
        file.name: _smaller(file.read_bytes())
        for file in sorted(place.iterdir(), key=lambda file: file.name)
        if file.name != _HTML and _suffix(file.name) in _TYPES
    }
    every = b"".join(b"%b %d\n%b" % (n.encode(), len(c), c) for n, c in contents.items())
    folder = b"page." + _hash_of(every)
    assets = AssetsResource()
    for name, content in contents.items():
        assets.putChild(name.encode(), FileResource(content, _TYPES[_suffix(name)], _OF_ASSETS))
    html = html.replace(_FOLDER_IN_HTML, folder)
    return Page(FileResource(html, _TYPES["html"], _OF_HTML), folder, assets)


def slash_added(request: Request) -> Response:
    """A redirect to the same place with a slash at the end, below which the page is.

    It is relative, so that it is right behind a proxy that removes a part of the path.
    """
    path: bytes = request.uri.partition(b"?")[0]
    name = path.rpartition(b"/")[2]
    # What stands before a colon would be taken for a scheme.
    location = (b"./" if b":" in name else b"") + name + b"/"
    return Response(b"", 308, b"text/plain", ((b"Location", location),))


def accepts_gzip(header: bytes) -> bool:
    """Whether an ``Accept-Encoding`` allows gzip."""
    for part in header.lower().split(b","):
        coding, *parameters = (piece.strip() for piece in part.split(b";"))
        if coding in (b"gzip", b"x-gzip", b"*"):
            weight = next((p[2:].strip() for p in parameters if p.startswith(b"q=")), b"1")
            return weight.strip(b"0.") != b""
    return False


def has_tag(header: bytes, tag: bytes) -> bool:
    """Whether an ``If-None-Match`` names an entity tag."""
    tags = [one.strip().removeprefix(b"W/") for one in header.split(b",")]
    return tag in tags or b"*" in tags


def _smaller(content: bytes) -> bytes:
    """A file, with empty lines for the comments of scripts and style sheets; no indentation."""
    content = _COMMENTS.sub(lambda found: b"\n" * found[0].count(b"\n"), content)
    content = _INLINE_TYPES.sub(b"", content)
    return _INDENTATION.sub(b"", content)


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]


def _hash_of(content: bytes) -> bytes:
    return sha256(content).hexdigest()[:10].encode()
