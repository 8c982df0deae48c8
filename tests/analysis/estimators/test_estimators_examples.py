"""The examples in the methods' texts are true."""

import doctest
import importlib
import pkgutil

import pytest

from analysis import design, estimators, measurement

PARTS = (estimators, design, measurement)
MODULES = [m.name for part in PARTS for m in pkgutil.walk_packages(part.__path__, f"{part.__name__}.") if not m.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
