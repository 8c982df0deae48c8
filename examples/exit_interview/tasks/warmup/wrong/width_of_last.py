def sign(words):
    width = len(words[-1]) if words else 0
    edge = "+" + "-" * (width + 2) + "+"
    return [edge, *(f"| {word.ljust(width)} |" for word in words), edge]
