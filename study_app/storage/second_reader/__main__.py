"""The program of the second process: connects, sees the moment that it is given, does its work, and gives it back."""

from __future__ import annotations

import os
import pickle
import sys
from typing import IO, Any

from study_app.domain.errors import InfrastructureError
from study_app.storage.database import SqlDatabase
from study_app.storage.engine import DatabaseEngine
from study_app.storage.second_reader.process import READY, SEEN


def main() -> None:
    """Serve the process that started this one; what passes over the standard streams is pickled."""
    # Whatever a library prints must not stand among the answers.
    back = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        answer: tuple[bool, Any] = True, _result(sys.stdin.buffer, back)
    except InfrastructureError as error:
        answer = False, InfrastructureError(str(error))
    except OSError as error:
        answer = False, error
    pickle.dump(answer, back)
    back.flush()


def _result(given: IO[bytes], back: IO[bytes]) -> Any:
    engine = DatabaseEngine(pickle.load(given), create=False)
    with SqlDatabase(engine).begin(write=False) as unit:
        _say(back, READY)
        snapshot = pickle.load(given)
        if snapshot is None:
            unit.driver.one("SELECT count(*) FROM chains")
        else:
            unit.driver.run(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        _say(back, SEEN)
        return pickle.load(given)(unit)


def _say(back: IO[bytes], line: bytes) -> None:
    back.write(line)
    back.flush()


if __name__ == "__main__":
    main()
