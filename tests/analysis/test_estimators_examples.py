"""The examples in the methods' texts are true."""

import doctest
import importlib
import pkgutil

import pytest

from analysis import estimators

BESIDE = ["effects", "multiplicity", "monitoring", "power", "psychometrics", "agreement"]
MODULES = [f"analysis.estimators.{found.name}" for found in pkgutil.iter_modules(estimators.__path__)]


@pytest.mark.parametrize("name", [*MODULES, *(f"analysis.{name}" for name in BESIDE)])
def test_examples_give_what_they_show(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
