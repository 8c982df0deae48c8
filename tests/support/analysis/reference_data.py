"""Small published data sets, typed out so that a stranger's run needs nothing but this folder."""

import itertools

import pandas as pd


def aml() -> pd.DataFrame:
    """survival::aml (Miller 1997): 23 people, 11 with maintenance chemotherapy."""
    kept = [(9, 1), (13, 1), (13, 0), (18, 1), (23, 1), (28, 0), (31, 1), (34, 1), (45, 0), (48, 1), (161, 0)]
    not_kept = [(5, 1), (5, 1), (8, 1), (8, 1), (12, 1), (16, 0), (23, 1), (27, 1), (30, 1), (33, 1), (43, 1), (45, 1)]
    rows = [(*row, "Maintained") for row in kept] + [(*row, "Nonmaintained") for row in not_kept]
    return pd.DataFrame(rows, columns=["time", "status", "x"])


def ovarian() -> pd.DataFrame:
    """survival::ovarian (Edmonson et al. 1979): 26 people."""
    rows = [
        (59, 1, 72.3315, 1, 1), (115, 1, 74.4932, 1, 1), (156, 1, 66.4658, 1, 2), (421, 0, 53.3644, 2, 1),
        (431, 1, 50.3397, 1, 1), (448, 0, 56.4301, 1, 2), (464, 1, 56.937, 2, 2), (475, 1, 59.8548, 2, 2),
        (477, 0, 64.1753, 1, 1), (563, 1, 55.1781, 2, 2), (638, 1, 56.7562, 1, 2), (744, 0, 50.1096, 2, 1),
        (769, 0, 59.6301, 2, 2), (770, 0, 57.0521, 2, 1), (803, 0, 39.2712, 1, 1), (855, 0, 43.1233, 1, 2),
        (1040, 0, 38.8932, 1, 2), (1106, 0, 44.6, 1, 1), (1129, 0, 53.9068, 2, 1), (1206, 0, 44.2055, 2, 1),
        (1227, 0, 59.589, 2, 2), (268, 1, 74.5041, 1, 2), (329, 1, 43.137, 1, 1), (353, 1, 63.2192, 2, 2),
        (365, 1, 64.4247, 2, 1), (377, 0, 58.3096, 2, 1),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["futime", "fustat", "age", "rx", "ecog"])


def insect_sprays() -> pd.DataFrame:
    """R datasets InsectSprays (Beall 1942): 12 counts for each of six sprays."""
    counts = {
        "A": [10, 7, 20, 14, 14, 12, 10, 23, 17, 20, 14, 13], "B": [11, 17, 21, 11, 16, 14, 17, 17, 19, 21, 7, 13],
        "C": [0, 1, 7, 2, 3, 1, 2, 1, 3, 0, 1, 4], "D": [3, 5, 12, 6, 4, 3, 5, 5, 5, 5, 2, 4],
        "E": [3, 5, 3, 5, 3, 6, 1, 1, 3, 2, 6, 4], "F": [11, 9, 15, 22, 15, 16, 13, 10, 26, 26, 24, 13],
    }  # fmt: skip
    return pd.DataFrame(
        [(spray, count) for spray, each in counts.items() for count in each], columns=["spray", "count"]
    )


def admissions() -> pd.DataFrame:
    """R datasets UCBAdmissions (Bickel et al. 1975) as counts: department, sex, admitted, n."""
    counts = {
        "A": (512, 313, 89, 19), "B": (353, 207, 17, 8), "C": (120, 205, 202, 391),
        "D": (138, 279, 131, 244), "E": (53, 138, 94, 299), "F": (22, 351, 24, 317),
    }  # fmt: skip
    cells = [("Male", 1), ("Male", 0), ("Female", 1), ("Female", 0)]
    rows = [(dept, *cell, n) for dept, each in counts.items() for cell, n in zip(cells, each, strict=True)]
    return pd.DataFrame(rows, columns=["dept", "sex", "admitted", "n"])


def shoes() -> pd.DataFrame:
    """MASS::shoes (Box, Hunter & Hunter 1978): wear of two soles on ten boys."""
    a = [13.2, 8.2, 10.9, 14.3, 10.7, 6.6, 9.5, 10.8, 8.8, 13.3]
    b = [14.0, 8.8, 11.2, 14.2, 11.8, 6.4, 9.8, 11.3, 9.3, 13.6]
    return pd.DataFrame({"wear": a + b, "sole": ["A"] * 10 + ["B"] * 10, "boy": list(range(10)) * 2})


def dyestuff() -> pd.DataFrame:
    """lme4::Dyestuff (Davies 1947): five yields from each of six batches."""
    yields = {
        "A": (1545, 1440, 1440, 1520, 1580), "B": (1540, 1555, 1490, 1560, 1495), "C": (1595, 1550, 1605, 1510, 1560),
        "D": (1445, 1440, 1595, 1465, 1545), "E": (1595, 1630, 1515, 1635, 1625), "F": (1520, 1455, 1450, 1480, 1445),
    }  # fmt: skip
    return pd.DataFrame([(batch, value) for batch, each in yields.items() for value in each], columns=["batch", "y"])


def orange() -> pd.DataFrame:
    """R datasets Orange (Draper & Smith 1998): seven girths of each of five trees."""
    ages = (118, 484, 664, 1004, 1231, 1372, 1582)
    trees = [
        (30, 58, 87, 115, 120, 142, 145), (33, 69, 111, 156, 172, 203, 203), (30, 51, 75, 108, 115, 139, 140),
        (32, 62, 112, 167, 179, 209, 214), (30, 49, 81, 125, 142, 174, 177),
    ]  # fmt: skip
    rows = [(tree, *pair) for tree, girths in enumerate(trees) for pair in zip(ages, girths, strict=True)]
    return pd.DataFrame(rows, columns=["tree", "age", "girth"])


def lsat7() -> pd.DataFrame:
    """LSAT section 7 (Bock & Lieberman 1970): 1000 people, five items."""
    counts = (12, 19, 1, 7, 3, 19, 3, 17, 10, 5, 3, 7, 7, 23, 8, 28, 7, 39, 11, 34, 14, 51, 15, 90, 6, 25, 7, 35, 18,
              136, 32, 308)  # fmt: skip
    patterns = list(itertools.product((0, 1), repeat=5))
    rows = [pattern for pattern, count in zip(patterns, counts, strict=True) for _ in range(count)]
    return pd.DataFrame(rows, columns=[f"item{number}" for number in range(1, 6)])
