import numpy as np


def column_means(table):
    return np.array(table).mean(axis=1).tolist()


if __name__ == "__main__":
    print(column_means([[1, 2], [3, 6]]))
