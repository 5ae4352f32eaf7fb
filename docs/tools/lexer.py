"""Colours for recorded commands: prompt, command, what was said, exit code."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Generic, Keyword, Text


class TranscriptLexer(RegexLexer):
    """Commands behind ``$``, with lines that end in a backslash; everything else is output."""

    name = "Transcript"
    aliases: ClassVar = ["transcript"]
    filenames: ClassVar = []
    tokens: ClassVar = {
        "root": [
            (r"^(\$ )((?:.*\\\n)*.*\n)", bygroups(Generic.Prompt, Keyword)),
            (r"^# \d{4}-.*\n", Comment),
            (r"^\[exit code \d+\]\n", Generic.Error),
            (r"^next: .*\n", Generic.Subheading),
            (r".*\n", Generic.Output),
            (r".+", Text),
        ]
    }
