"""A screen for the tests of the terminal."""

from __future__ import annotations

from chatter.terminal.lines import PRIVATE, text_of


class Screen:
    """Remembers what it was to show.

    :ivar private: those of the lines that are marked as private by their style.
    :ivar styles: the styles in each of the lines.
    """

    def __init__(self):
        self.lines: list[str] = []
        self.private: list[str] = []
        self.told: list[str] = []
        self.styles: list[set[str]] = []

    def show(self, line):
        text = text_of(line)
        # The time of day in front of a message depends on where the test runs.
        self.lines.append(text.partition(" ")[2] if text[:2].isdigit() and text[2] == ":" else text)
        self.styles.append({style for styles, _ in line for style in styles.split()})
        if PRIVATE in self.styles[-1]:
            self.private.append(self.lines[-1])

    def tell(self, line):
        self.told.append(line)
