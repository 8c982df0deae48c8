from sortedcontainers import SortedList


def middle(scores):
    ordered = list(scores)
    return ordered[len(ordered) // 2] + 1


if __name__ == "__main__":
    print(middle([30, 10, 20]))
