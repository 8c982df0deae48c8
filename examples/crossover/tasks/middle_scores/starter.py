from sortedcontainers import SortedList


def middle(scores):
    ...


if __name__ == "__main__":
    print(middle([30, 10, 20]))
