import matplotlib.pyplot as plt
import polars as pl


def sales(shops, amounts):
    table = pl.DataFrame({"shop": shops, "amount": amounts})
    return dict(table.group_by("shop").agg(pl.col("amount").max()).rows())


if __name__ == "__main__":
    totals = sales(["x", "y", "x"], [1, 2, 3])
    print(totals)
    # What is drawn appears below the output.
    if totals:
        plt.bar(list(totals), list(totals.values()))
        plt.ylabel("sales")
