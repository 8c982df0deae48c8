"""On the server the sealed ledger is recomputed in place, and nothing that is said tells an arm."""

from __future__ import annotations

import shutil

import pytest
from support.trials.export_world import copy_of, trial

from study_app.services.researcher.ledger_check import recompute


def with_key(folder):
    (folder / "var").mkdir(exist_ok=True)
    shutil.copy(trial().folder / "var" / "seal.key", folder / "var" / "seal.key")
    return folder


def test_a_sealed_ledger_is_recomputed_with_the_key_and_checked_by_its_chain_without(tmp_path):
    closed = "UPDATE meta SET value = 'closed' WHERE key = 'state'"
    app = copy_of(trial(), tmp_path, closed)
    found = recompute(app.context)
    real = next(each for each in found if each.ledger == "real")
    assert (real.sealed, real.breaches) == (True, ())
    # The seeds of the others are public.
    assert {each.sealed for each in found if each.ledger != "real"} == {False}
    with_key(tmp_path)
    real = next(each for each in recompute(app.context) if each.ledger == "real")
    assert (real.sealed, real.breaches) == (False, ())
    assert real.rows > 3
    app.close()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE allocations SET row = replace(row, '\"draw\":0.', '\"draw\":0.0') WHERE ledger = 'real'",
            "wrong_draw",
        ),
        ("DELETE FROM allocations WHERE ledger = 'real' AND allocation_index = 2", "missing_row"),
    ],
)
def test_a_tampered_ledger_is_named_without_an_arm(tmp_path, statement, name):
    app = copy_of(trial(), with_key(tmp_path), statement)
    real = next(each for each in recompute(app.context) if each.ledger == "real")
    app.close()
    assert name in {found for _, found in real.breaches}
    assert "no_ai" not in str(real)
    assert "the algorithm gives" not in str(real)
    assert "stop enrolment" in str(real)
