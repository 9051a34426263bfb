"""What is dangerous is taken out of what brands write, whatever it is wrapped in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.markup import TAGS, Nh3Markup

CLEAN = Nh3Markup().clean
TAG = re.compile(r"<(/?)([^\s<>/]*)([^<>]*)>")
PIECES = [
    *(
        "<",
        ">",
        "/",
        "script",
        "style",
        "svg",
        "math",
        "p",
        "b",
        "img",
        " src=x",
        " onerror=alert(1)",
        "'",
        '"',
        "<!--",
    ),
    *(
        "-->",
        "&lt;",
        "&#60;",
        "javascript:",
        "<a href=",
        "<![CDATA[",
        "]]>",
        "<title>",
        "</",
        "noscript",
        "\x00",
        "text",
    ),
]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<p>Play <b>longer</b></p>", "<p>Play <b>longer</b></p>"),
        ("<script>alert(1)</script>Play", "Play"),
        ("<style>p{}</style>Play", "Play"),
        ('<p onclick="x()" style="color:red" class="a" id="b">Play</p>', "<p>Play</p>"),
        ('<a href="https://x.example">Play</a>', "Play"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<iframe src='https://x.example'></iframe>", ""),
        ("<!-- a remark -->Play", "Play"),
        ("<b>Play", "<b>Play</b>"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
    ],
)
def test_what_stays_and_what_goes(written: str, shown: str) -> None:
    assert CLEAN(written) == shown


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_nothing_but_a_little_markup_is_left_and_cleaning_again_changes_nothing(written: str) -> None:
    shown = CLEAN(written)
    for _, name, attributes in TAG.findall(shown):
        assert name in TAGS
        assert not attributes
    assert "<" not in TAG.sub("", shown)
    assert CLEAN(shown) == shown
