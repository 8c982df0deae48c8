def sign(words):
    if not words:
        return ["+--+", "+--+"]
    width = max(5, max(len(word) for word in words)) if len(words) > 1 else 5
    edge = "+" + "-" * (width + 2) + "+"
    return [edge, *(f"| {word[:width].ljust(width)} |" for word in words), edge]
