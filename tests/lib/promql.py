# SPDX-License-Identifier: GPL-2.0-only
"""What an expression of PromQL speaks of: names of series, labels. A reader of words, no judge of grammar: that is
Prometheus' own, which runs every expression beside it."""
import re

WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan",
         "start", "end", "atan2"}
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*\{([^{}]*)\}")
WORD = re.compile(r"(?<![\w:.$])([a-zA-Z_:][a-zA-Z0-9_:]*)(\s*\()?")
MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")')


def names(expression):
    """The names of series in it."""
    bare = STRING.sub('""', expression)
    bare = GROUPING.sub(" ", re.sub(r"\{[^{}]*\}", " ", bare))
    bare = re.sub(r"\[[^\]]*\]", " ", bare)
    return {word for word, call in WORD.findall(bare) if not call and word.lower() not in WORDS}


def grouped(expression):
    """Labels in by, without, on, ignoring, group_left, group_right."""
    return {label.strip() for _, labels in GROUPING.findall(STRING.sub('""', expression)) for label in labels.split(",")
            if label.strip()}


def matchers(expression):
    """(name, label, operator, text) of every selector; name is empty where none stands before the brace."""
    # Strings may hold braces: they are kept aside while the selectors are looked for.
    kept = []
    bare = STRING.sub(lambda m: kept.append(m[0]) or f'"{len(kept) - 1}"', expression)
    return [(name, label, operator, unquote(kept[int(index.strip('"'))]))
            for name, inside in SELECTOR.findall(bare) for label, operator, index in MATCHER.findall(inside)]


def unquote(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def templates(text):
    """Labels that a legend or a template names: {{label}}, {{ $labels.label }}."""
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", text)) | set(re.findall(r"\$labels\.(\w+)", text))
