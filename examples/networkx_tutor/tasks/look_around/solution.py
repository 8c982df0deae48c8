import networkx


def names(start):
    return sorted(one for one in dir(networkx) if one.startswith(start) and not one.startswith("_"))


if __name__ == "__main__":
    print(names("a"))
