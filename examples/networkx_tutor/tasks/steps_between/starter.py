import networkx as nx


def steps(pairs, start, goal):
    ...


if __name__ == "__main__":
    print(steps([["a", "b"], ["b", "c"]], "a", "c"))
