"""Core: the words of a piece of HTML, as Salesforce's rich text areas hold it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Elements that stand on lines of their own, and those whose contents nobody reads.
LINES = {
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "hr",
}
UNREAD = {"script", "style", "head", "title"}
SPACES = re.compile(r"[ \t\r\f\xa0]+")
EMPTY_LINES = re.compile(r"\n{3,}")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's form
        self._unread += tag in UNREAD
        if tag in LINES:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "td":
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(self._unread - (tag in UNREAD), 0)
        if tag in LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.parts.append(data.replace("\n", " "))


def text_of_html(html: str) -> str:
    """Lines of words: a line per paragraph, line break, list item and table row; entities as characters."""
    words = _Words()
    words.feed(html)
    words.close()
    lines = (SPACES.sub(" ", line).strip() for line in "".join(words.parts).split("\n"))
    return EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
