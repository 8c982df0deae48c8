import matplotlib.pyplot as plt
import polars as pl


def sales(shops, amounts):
    ...


if __name__ == "__main__":
    totals = sales(["x", "y", "x"], [1, 2, 3])
    print(totals)
    # What is drawn appears below the output.
    if totals:
        plt.bar(list(totals), list(totals.values()))
        plt.ylabel("sales")
