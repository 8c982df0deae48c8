def sign(words):
    width = max((len(word) for word in words), default=0)
    edge = "+" + "-" * (width + 2) + "+"
    return [edge, *(f"| {word.ljust(width)} |" for word in words if word), edge]
