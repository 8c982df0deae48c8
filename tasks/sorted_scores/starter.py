from sortedcontainers import SortedList


def running_median(numbers):
    # After each number: the median so far.
    ...


def count_between(scores, ranges):
    # For each (low, high): how many scores lie between, both ends included.
    ...


def best(players, k):
    # Names of the k best, best first, equal scores by name.
    ...


if __name__ == "__main__":
    print(running_median([5, 1, 4]))
    print(count_between([10, 20, 20, 30], [(10, 20), (25, 29)]))
    print(best({"Ida": 7, "Bo": 9, "Al": 7}, 2))
