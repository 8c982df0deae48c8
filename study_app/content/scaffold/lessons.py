"""First tasks for a new study: small functions with a library, each with a wrong program and a quiz program."""

from __future__ import annotations

from dataclasses import dataclass, replace

DEFAULT_LIBRARY = "sortedcontainers"
"""Comes with study-app, so that a new study needs nothing else."""

IMPORT_NAMES = {
    "beautifulsoup4": "bs4",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
"""Distribution -> what programs import, where it is not the same name."""


@dataclass(frozen=True)
class Lesson:
    """One task and the quiz on it."""

    id: str
    """Of the pack, and of its bank."""
    signature: str
    imports: str
    solution: str
    """Body of the function; may use the import name as `{name}`."""
    wrong: str
    """The same with one mistake, named `mistake`."""
    example: str
    """Arguments of the example that participants see."""
    result: str
    """What the example gives, as the brief says it; empty where it depends on the library's version."""
    draw: str
    """Arguments of the hidden check, as Python over `rng`."""
    reading: str
    """A program of the quiz; prints one number."""
    prints: int
    syntax: tuple[str, ...]
    """Lines of the library at a glance; comments are names of phrases in braces."""

    @property
    def function(self) -> str:
        """Name of the function."""
        return self.signature.partition("(")[0]

    def of(self, name: str) -> Lesson:
        """With the import name put in."""
        parts = ("imports", "solution", "wrong", "reading")
        filled = {part: getattr(self, part).replace("{name}", name) for part in parts}
        return replace(self, **filled, syntax=tuple(line.replace("{name}", name) for line in self.syntax))


_LOOK = Lesson(
    id="look_around",
    signature="names(start)",
    imports="import {name}",
    solution='return sorted(one for one in dir({name}) if one.startswith(start) and not one.startswith("_"))',
    wrong='return sorted(one for one in dir({name}) if not one.startswith("_"))',
    example='"a"',
    result="",
    draw='rng.choice("bcdefghilmnoprst")',
    reading='import {name}\n\nwords = ["{name}", "b", "c"]\nprint(words.index({name}.__name__) + len(words[1:]))',
    prints=2,
    syntax=("import {name}", "dir({name})   # {every_name}", '"abc".startswith("a")'),
)
_GENERIC = (
    _LOOK,
    replace(
        _LOOK,
        id="first_name",
        signature="first(start)",
        solution="return sorted(one for one in dir({name}) if one.startswith(start))[:1]",
        wrong="return sorted(dir({name}))[:2]",
        reading='import {name}\n\nwords = ["pear", "fig", "banana"]\nprint(len(sorted(words)[0]))',
        prints=6,
    ),
    replace(
        _LOOK,
        id="how_many_names",
        signature="how_many(start)",
        solution="return sum(one.startswith(start) for one in dir({name}))",
        wrong="return len(dir({name})) + 1",
        reading='import {name}\n\nwords = ["ab", "ba", "ac"]\nprint(sum(word.startswith("a") for word in words))',
        prints=2,
    ),
    replace(
        _LOOK,
        id="has_name",
        signature="lengths(start)",
        solution="return sorted(len(one) for one in dir({name}) if one.startswith(start))",
        wrong="return [len(one) for one in dir({name})] + [0]",
        reading='import {name}\n\nwords = ["ab", "b", "abc"]\nprint(sorted(map(len, words))[-1])',
        prints=3,
    ),
)
"""For any library: they look at the names that it offers. Replace them first."""

_OWN = {
    "sortedcontainers": Lesson(
        id="middle_scores",
        signature="middle(scores)",
        imports="from sortedcontainers import SortedList",
        solution="ordered = SortedList(scores)\n    return ordered[len(ordered) // 2]",
        wrong="ordered = list(scores)\n    return ordered[len(ordered) // 2] + 1",
        example="[30, 10, 20]",
        result="20",
        draw="[rng.randint(1, 99) for _ in range(7)]",
        reading="from sortedcontainers import SortedList\n\nitems = SortedList([5, 1, 4])\n"
        "items.add(3)\nprint(items[1])",
        prints=3,
        syntax=(
            "from sortedcontainers import SortedList",
            "items = SortedList([3, 1])",
            "items.add(2)",
            "items[0]   # 1",
        ),
    ),
    "numpy": Lesson(
        id="column_means",
        signature="column_means(table)",
        imports="import numpy as np",
        solution="return np.array(table).mean(axis=0).tolist()",
        wrong="return np.array(table).mean(axis=1).tolist()",
        example="[[1, 2], [3, 6]]",
        result="[2.0, 4.0]",
        draw="[[rng.randint(0, 9) for _ in range(3)] for _ in range(2)]",
        reading="import numpy as np\n\ntable = np.arange(6).reshape(2, 3)\nprint(table[1].sum())",
        prints=12,
        syntax=("import numpy as np", "table = np.array([[1, 2], [3, 6]])", "table.sum(axis=0)   # {down_columns}"),
    ),
    "networkx": Lesson(
        id="steps_between",
        signature="steps(pairs, start, goal)",
        imports="import networkx as nx",
        solution="return nx.shortest_path_length(nx.Graph(pairs), start, goal)",
        wrong="return len(nx.shortest_path(nx.Graph(pairs), start, goal))",
        example='[["a", "b"], ["b", "c"]], "a", "c"',
        result="2",
        draw="[[n, n + 1] for n in range(9)], 0, rng.randint(2, 9)",
        reading="import networkx as nx\n\nmap_ = nx.cycle_graph(6)\nprint(nx.shortest_path_length(map_, 0, 4))",
        prints=2,
        syntax=("import networkx as nx", 'map_ = nx.Graph([["a", "b"]])', 'nx.shortest_path(map_, "a", "b")'),
    ),
    "polars": Lesson(
        id="sales_by_shop",
        signature="sales(shops, amounts)",
        imports="import polars as pl",
        solution='table = pl.DataFrame({"shop": shops, "amount": amounts})\n'
        '    return dict(table.group_by("shop").agg(pl.col("amount").sum()).rows())',
        wrong='table = pl.DataFrame({"shop": shops, "amount": amounts})\n'
        '    return dict(table.group_by("shop").agg(pl.col("amount").max()).rows())',
        example='["x", "y", "x"], [1, 2, 3]',
        result='{"x": 4, "y": 2}',
        draw='["x", "y"] * 4, [rng.randint(1, 9) for _ in range(8)]',
        reading='import polars as pl\n\ntable = pl.DataFrame({"n": [4, 5, 6]})\n'
        'print(table.filter(pl.col("n") > 4).height)',
        prints=2,
        syntax=("import polars as pl", 'table = pl.DataFrame({"n": [4, 5]})', 'table.select(pl.col("n").sum())'),
    ),
}
"""Libraries with their own first task."""


def import_name(library: str) -> str:
    """Return what programs import of a distribution."""
    return IMPORT_NAMES.get(library.lower(), library.replace("-", "_"))


def lessons_for(library: str, imported: str, count: int) -> list[Lesson]:
    """First tasks for a library.

    Args:
        library: a distribution's name.
        imported: what programs import of it.
        count: how many, at most five.
    """
    own = [_OWN[library.lower()]] if library.lower() in _OWN else []
    return [lesson.of(imported) for lesson in (*own, *_GENERIC)][:count]
