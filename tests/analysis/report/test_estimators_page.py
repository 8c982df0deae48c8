from pathlib import Path

from analysis.estimators.methods import METHODS
from analysis.report.methods_page import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "methods.md"


def test_the_page_of_methods_is_what_their_texts_say():
    """Written anew by `python -m analysis.report.methods_page docs/reference/methods.md`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_names_every_method():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"### `{name}`" in text for name in METHODS)
