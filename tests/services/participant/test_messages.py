"""What can be sent to an assistant at all: a message with something in it, and not of more than 20,000 characters."""

from __future__ import annotations

import asyncio

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import Malformed, NotAllowed, TooLong


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("messages"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("", Malformed),
        (" \n\t", Malformed),
        # Looked at before anything is asked of the database, which does not know this participant.
        ("x", NotAllowed),
        ("x" * 20_000, NotAllowed),
        (" " + "x" * 20_000 + "\n", NotAllowed),
        ("x" * 20_001, TooLong),
    ],
    ids=["empty", "blank", "short", "longest", "longest between blanks", "too long"],
)
def test_a_message_is_refused_if_nothing_is_in_it_or_too_much(trial, message, error):
    with pytest.raises(error, match="is not known" if error is NotAllowed else None):
        asyncio.run(trial.app.help.ask("unknown", message))
