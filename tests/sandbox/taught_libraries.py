"""A small task pack for each of many libraries: a solution that calls it, and a wrong program."""

from __future__ import annotations

from pathlib import Path

SOLUTIONS: dict[str, tuple[str, str, str]] = {
    # distribution: import name, body of `answer(n)`, what a wrong program returns
    "numpy": ("numpy", "numpy.linalg.solve(numpy.eye(n) * 2, numpy.ones(n)).sum()", "n"),
    "pandas": ("pandas", "pandas.DataFrame({'k': [1, 1, 2], 'v': [n, n, 1]}).groupby('k').v.sum().max()", "n"),
    "polars": (
        "polars",
        "polars.DataFrame({'v': range(n)}).lazy().select(polars.col('v').sum()).collect().item()",
        "n",
    ),
    "scikit-learn": (
        "sklearn",
        "sklearn.cluster.KMeans(2, n_init=1, random_state=0).fit([[0], [n * 9]]).n_iter_ * n",
        "-n",
    ),
    "matplotlib": ("matplotlib", "len(__import__('matplotlib.pyplot').pyplot.plot(range(n))[0].get_xdata())", "n + 1"),
    "pydantic": ("pydantic", "pydantic.create_model('M', x=(int, ...))(x=str(n)).x", "str(n)"),
    "sqlalchemy": (
        "sqlalchemy",
        "sqlalchemy.create_engine('sqlite://').connect().execute(sqlalchemy.text(f'select {n} * 2')).scalar()",
        "n",
    ),
    "duckdb": ("duckdb", "duckdb.sql(f'select sum(i) from range({n}) t(i)').fetchall()[0][0]", "n"),
    "pillow": ("PIL", "__import__('PIL.Image').Image.new('L', (n, 2)).resize((n * 2, 2)).size[0]", "n"),
    "networkx": ("networkx", "len(networkx.shortest_path(networkx.path_graph(n + 2), 0, n))", "n"),
    "shapely": ("shapely", "shapely.box(0, 0, n, 2).area", "n"),
    "sympy": ("sympy", "int(sympy.integrate(sympy.Symbol('x'), (sympy.Symbol('x'), 0, 2 * n)))", "n"),
    "rich": ("rich", "len(__import__('rich.text').text.Text('x' * n))", "n + 1"),
    "requests": ("requests", "requests.Request('GET', 'http://x/', params={'n': n}).prepare().url", "n"),
    "lxml": (
        "lxml",
        "__import__('lxml.etree').etree.fromstring('<a>' + '<b/>' * n + '</a>').xpath('count(//b)')",
        "n - 1",
    ),
    "scipy": ("scipy", "__import__('scipy.special').special.comb(n + 1, 2, exact=True)", "n"),
    "statsmodels": (
        "statsmodels",
        "round(statsmodels.api.OLS([1.0 * n, 2.0 * n, 3.0 * n], [1, 2, 3]).fit().params[0], 6)",
        "-n",
    ),
    "httpx": ("httpx", "httpx.URL('http://x/').copy_merge_params({'n': n}).query.decode()", "n"),
    "jinja2": ("jinja2", "jinja2.Template('{{ n * 2 }}').render(n=n)", "n"),
    "attrs": ("attrs", "attrs.make_class('C', ['x'])(n * 3).x", "n"),
    "orjson": ("orjson", "orjson.loads(orjson.dumps([n] * n))[0] * 2", "n"),
    "trio": ("trio", "trio.run(trio.sleep, 0.01) or n * 2", "n"),
    "anyio": ("anyio", "anyio.run(anyio.sleep, 0.01) or n * 2", "n"),
    "pyarrow": ("pyarrow", "__import__('pyarrow.compute').compute.sum(pyarrow.array(range(n))).as_py()", "n"),
}
"""Each body differs from the wrong value for every n from 4."""

EXTRA = {"statsmodels": "import statsmodels.api\n", "sklearn": "import sklearn.cluster\n"}
"""More imports, of submodules that a library does not import by itself."""
_CHECKS = """
from study_app.domain.checks import Check, Same, call

VALUE = Same(lines=False, duration=False)
CHECKS = [
    Check("answer(5)", call("answer", 5), visible=True, compare=VALUE),
    Check("any", lambda rng: call("answer", rng.randint(4, 9)), compare=VALUE, varies="answer(5)", wrong="other"),
]
"""


def write_pack(folder: Path, distribution: str) -> Path:
    """Write the pack of a library; returns its folder."""
    name, body, wrong = SOLUTIONS[distribution]
    pack = folder / f"teach_{name.lower()}"
    (pack / "wrong").mkdir(parents=True)
    head = f"import {name}\n{EXTRA.get(name, '')}\n\ndef answer(n):\n    "
    files = {
        "task.toml": f'id = "{pack.name}"\ntitle = "{distribution}"\npackages = ["{name}"]\n',
        "brief.md": f"Write `answer(n)` with {distribution}.\n",
        "reference.md": f"{distribution} at a glance.\n",
        "starter.py": f"{head}...\n",
        "solution.py": f"{head}return {body}\n",
        "wrong/other.py": f"{head}return {wrong}\n",
        "checks.py": _CHECKS,
    }
    for file, text in files.items():
        (pack / file).write_text(text, encoding="utf-8")
    return pack
