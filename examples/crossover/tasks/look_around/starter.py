import sortedcontainers


def names(start):
    ...


if __name__ == "__main__":
    print(names("a"))
