def sign(words):
    width = max((len(word) for word in words), default=0)
    edge = "+" + "-" * (width + 2) + "+"
    return [edge, *(f"| {word.ljust(width)} |" for word in words), edge]


if __name__ == "__main__":
    for line in sign(["Fresh", "apple", "pie"]):
        print(line)
