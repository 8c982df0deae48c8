from sortedcontainers import SortedList


def running_median(numbers):
    seen = SortedList()
    medians = []
    for number in numbers:
        seen.add(number)
        middle = len(seen) // 2
        medians.append(seen[middle] if len(seen) % 2 else (seen[middle - 1] + seen[middle]) / 2)
    return medians


def count_between(scores, ranges):
    ordered = SortedList(scores)
    return [ordered.bisect_right(high) - ordered.bisect_left(low) for low, high in ranges]


def best(players, k):
    ordered = SortedList((score, name) for name, score in players.items())
    return [name for _, name in reversed(ordered)][:k]


if __name__ == "__main__":
    print(running_median([5, 1, 4]))
    print(count_between([10, 20, 20, 30], [(10, 20), (25, 29)]))
    print(best({"Ida": 7, "Bo": 9, "Al": 7}, 2))
