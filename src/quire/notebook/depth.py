"""How deep a JSON text nests, without decoding it."""


def nesting_of(text: str, limit: int) -> int:
    """How deep arrays and objects nest in `text`, which is JSON, or `limit + 1` if it is deeper than `limit`.

    A text with no more brackets than `limit` is not looked at: the answer is their number.
    """
    if text.count("[") + text.count("{") <= limit:
        return text.count("[") + text.count("{")
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > limit:
                break
        elif character in "]}":
            depth -= 1
    return deepest
