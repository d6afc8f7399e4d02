"""The page for browsers: where it is, what may be kept of it, and what it may do."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from twisted.web.resource import Resource

import chatter
from chatter.web import ChatResource
from chatter.web.page import accepts_gzip, has_tag, read_page

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
FILES = [file.name for file in (Path(chatter.__file__).parent / "page").iterdir()]
ASSETS = [name for name in FILES if name != "index.html"]


def folder_of(html):
    """The folder that a page names, which is the only one."""
    (folder,) = set(re.findall(rb'(?:src|href)="(page\.[0-9a-f]+)/', html))
    return folder.decode()


@pytest.fixture(params=["/", "/chat/", "/a/b/"])
def place(request):
    return request.param


@pytest.fixture
def web_at(make_web, chat, place):
    """A chat somewhere in the tree of another application."""
    root: Resource = ChatResource(chat)
    resource: Resource = root
    for name in reversed(place.strip("/").split("/")):
        if name:
            root = Resource()
            root.putChild(name.encode(), resource)
            resource = root
    return make_web(root)


def test_the_page_is_where_the_chat_is(web_at, place):
    """The HTML and all files that it loads are below the chat's own place, by relative URLs."""
    html = web_at.call("GET", place)
    assert (html.status, html.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"{page}" not in html.body
    for url in re.findall(rb'(?:src|href)="([^"#]+)"', html.body):
        response = web_at.call("GET", place + url.decode())
        assert response.status == 200, url
        assert response.body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/chat", "/chat?a=b", "/a/chat", "/c%2fd", "/a:b", "//evil.example"]
)
def test_without_the_slash_at_the_end_a_browser_is_led_to_the_page(make_web, chat, method, path):
    """By a relative redirect, which no proxy has to change."""
    root = Resource()
    resource = ChatResource(chat)
    inner = Resource()
    inner.putChild(b"chat", resource)
    outer = Resource()
    outer.putChild(b"evil.example", resource)
    for name, child in ((b"chat", resource), (b"a", inner), (b"c/d", resource), (b"a:b", resource)):
        root.putChild(name, child)
    root.putChild(b"", outer)
    response = make_web(root).call(method, path)
    last = path.partition("?")[0].rpartition("/")[2]
    assert (response.status, response.body) == (308, b"")
    assert response.headers["location"] == ("./" if ":" in last else "") + last + "/"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_the_page_is_redirected(make_web, chat, method):
    """What is no look at a page is not found where there is none."""
    root = Resource()
    root.putChild(b"chat", ChatResource(chat))
    response = make_web(root).call(method, "/chat")
    assert (response.status, response.problem) == (404, "not-found")


def test_the_page_may_do_what_it_needs_and_nothing_else(web):
    """Its headers keep scripts of others out, and it out of the frames of others."""
    headers = web.call("GET", "/").headers
    assert headers["content-security-policy"] == POLICY
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ASSETS)
def test_what_the_page_loads_is_kept_for_ever(web, name):
    """Each file is what the package has but for comments and indentation, for this origin only."""
    folder = folder_of(web.call("GET", "/").body)
    response = web.call("GET", f"/{folder}/{name}")
    assert response.status == 200
    source = (Path(chatter.__file__).parent / "page" / name).read_bytes()
    # Line by line, so what a browser says of a line is true of the source.
    lines = zip(response.body.split(b"\n"), source.split(b"\n"), strict=True)
    inline_types = re.compile(rb"/\*\* @.*?\*/ ")
    left_out = [
        (sent, line.strip())
        for sent, line in lines
        if sent not in (line.lstrip(b" "), inline_types.sub(b"", line).lstrip(b" "))
    ]
    assert not any(sent for sent, _ in left_out)
    if name.endswith(".js"):
        # No text goes on in another line, where indentation would be a part of it.
        assert all(line.count(b"`") % 2 == 0 for line in response.body.split(b"\n"))
        assert all(line.startswith((b"/*", b"*", b"//")) for _, line in left_out)
    assert not re.search(rb"^\s*(//|\*/|/\*\*$)|/\*\* @", response.body, re.MULTILINE)
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert response.headers["content-type"].startswith(kinds[name.rpartition(".")[2]])


@pytest.mark.parametrize("name", ["", "main.js", "style.css", "icon.svg"])
def test_files_are_compressed_for_those_who_take_it(web, name):
    """The two forms have tags of their own, and a cache must keep them apart."""
    path = f"/{folder_of(web.call('GET', '/').body)}/{name}" if name else "/"
    plain = web.call("GET", path)
    packed = web.call("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert plain.headers["etag"] != packed.headers["etag"]
    for response in (plain, packed):
        assert response.headers["vary"] == "Accept-Encoding"
        assert int(response.headers["content-length"]) == len(response.body)


@pytest.mark.parametrize("name", ["", "main.js"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_a_file_does_not_get_it_again(web, name, coding, method):
    """304, with what the browser should go on believing, and without a body."""
    path = f"/{folder_of(web.call('GET', '/').body)}/{name}" if name else "/"
    headers = {"Accept-Encoding": coding}
    first = web.call("GET", path, headers=headers)
    tag = first.headers["etag"]
    for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = web.call(method, path, headers={**headers, "If-None-Match": named})
        assert (again.status, again.body) == (304, b"")
        assert "content-length" not in again.headers
        for kept in ("etag", "cache-control", "vary"):
            assert again.headers[kept] == first.headers[kept]
    other = web.call("GET", path, headers={**headers, "If-None-Match": '"other"'})
    assert (other.status, other.body) == (200, first.body)


def test_head_of_the_page(web):
    """It is as GET is, without the body."""
    head, get = web.call("HEAD", "/"), web.call("GET", "/")
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


@pytest.mark.parametrize("path", ["/page.0000000000000000/main.js", "/main.js", "/index.html"])
def test_what_is_not_of_this_page_is_not_found(web, path):
    """Also the files of another version; the response is as for any other path."""
    response = web.call("GET", path)
    assert (response.status, response.problem) == (404, "not-found")


@pytest.mark.parametrize("name", ["", "index.html", "nope.js", "main.js/", "..%2fversion.py", ".."])
def test_nothing_else_is_in_the_folder(web, name):
    """The folder has the page's files, and leads nowhere else."""
    folder = folder_of(web.call("GET", "/").body)
    response = web.call("GET", f"/{folder}/{name}")
    assert response.status in (400, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_page_is_only_looked_at(web, method):
    """Other methods are refused as on any endpoint."""
    for path in ("/", f"/{folder_of(web.call('GET', '/').body)}/main.js"):
        response = web.call(method, path)
        assert (response.status, response.problem) == (405, "method-not-allowed")
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_chat_without_a_page(make_web, chat):
    """Nothing is there then, with and without the slash, and the endpoints are."""
    root = Resource()
    root.putChild(b"chat", ChatResource(chat, page=False))
    web = make_web(root)
    for path in ("/chat", "/chat/"):
        response = web.call("GET", path)
        assert (response.status, response.problem) == (404, "not-found")
    assert web.call("GET", "/chat/health").status == 200


def test_the_page_needs_no_store(make_web, chat):
    """It is there to say that the chat is away."""
    web = make_web(ChatResource(chat))
    chat.stopService()
    assert web.call("GET", "/").status == 200


def test_pages_of_other_origins_do_not_change_how_the_page_is_kept(make_web, chat):
    """Whoever may use the chat, the page's own files vary by their coding only."""
    web = make_web(ChatResource(chat, origins=["https://good.example"]))
    response = web.call("GET", "/", headers={"Origin": "https://good.example"})
    assert response.headers["vary"] == "Accept-Encoding"
    assert "access-control-allow-origin" not in response.headers


def test_the_folder_changes_with_any_file(tmp_path):
    """A browser never mixes files of two versions; the same files are the same version."""

    def folder(**files):
        for file in tmp_path.iterdir():
            file.unlink()
        for name, content in {"index": '<a href="{page}/a.js">', **files}.items():
            (tmp_path / f"{name}.{'html' if name == 'index' else 'js'}").write_text(content)
        return read_page(tmp_path).folder

    folders = [folder(a="1"), folder(a="2"), folder(b="1"), folder(a="1", b=""), folder()]
    assert len(set(folders)) == len(folders)
    assert folder(a="1") == folders[0]
    assert folder(a="1", index="other {page}") == folders[0]


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("", False),
        ("gzip", True),
        ("GZip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip ; q = 0.1", True),
        ("identity, gzip;q=0.001", True),
        ("gzipped", False),
        ("*;q=0", False),
    ],
)
def test_who_takes_gzip(header, accepts):
    """As RFC 9110 has it; who says nothing gets nothing compressed."""
    assert accepts_gzip(header.encode()) is accepts


@pytest.mark.parametrize("header", ["", '"a', "a", 'W/"b"', '"b", "c"'])
def test_what_names_no_tag(header):
    """Only the very tag does."""
    assert not has_tag(header.encode(), b'"a"')


def test_the_page_is_loaded_with_few_bytes(web):
    """What the HTML names is all that a user who is signed in loads; the chats come beside it."""
    headers = {"Accept-Encoding": "gzip"}
    html = web.call("GET", "/", headers=headers)
    urls = set(re.findall(r'(?:src|href)="([^"#]+)"', gzip.decompress(html.body).decode()))
    responses = [html, *(web.call("GET", f"/{url}", headers=headers) for url in urls)]
    heads = sum(
        len(name) + len(value) + len(": \r\n")
        for response in responses
        for name, value in response.headers.items()
    )
    assert heads + sum(len(response.body) for response in responses) < 36_000
