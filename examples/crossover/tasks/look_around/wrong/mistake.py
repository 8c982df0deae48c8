import sortedcontainers


def names(start):
    return sorted(one for one in dir(sortedcontainers) if not one.startswith("_"))


if __name__ == "__main__":
    print(names("a"))
