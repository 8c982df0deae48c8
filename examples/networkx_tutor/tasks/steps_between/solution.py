import networkx as nx


def steps(pairs, start, goal):
    return nx.shortest_path_length(nx.Graph(pairs), start, goal)


if __name__ == "__main__":
    print(steps([["a", "b"], ["b", "c"]], "a", "c"))
