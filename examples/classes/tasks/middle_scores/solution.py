from sortedcontainers import SortedList


def middle(scores):
    ordered = SortedList(scores)
    return ordered[len(ordered) // 2]


if __name__ == "__main__":
    print(middle([30, 10, 20]))
