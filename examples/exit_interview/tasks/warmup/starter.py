def sign(words):
    # Return the lines of the sign as a list of strings.
    lines = []
    return lines


if __name__ == "__main__":
    for line in sign(["Fresh", "apple", "pie"]):
        print(line)
