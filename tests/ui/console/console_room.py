"""What the console's tests share: the trial of tests/services and its boards under AppTest."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest
from support.trials.console_trial import Trial, busy, work

from study_app.secrets.console_accounts import Account, ConsoleUser

PASSWORD = "correct horse battery"
SCRIPT = Path(__file__).parents[3] / "study_app" / "ui" / "console" / "app.py"
__all__ = ["PASSWORD", "SCRIPT", "Account", "ConsoleUser", "Trial", "busy", "drawn", "shown", "work"]


def drawn(board: str) -> AppTest:
    def script() -> None:
        import importlib
        import os

        from study_app.bootstrap import current
        from study_app.secrets.console_accounts import ConsoleUser
        from study_app.services.researcher.monitoring import Monitor
        from study_app.ui.console.session import ConsoleSession

        name, role = os.environ["TEST_PERSON"].split()
        module = importlib.import_module(f"study_app.ui.console.pages.{os.environ['TEST_BOARD']}")
        module.render(ConsoleSession(current(), ConsoleUser(name, role), Monitor(current().context)))

    return AppTest.from_function(script, default_timeout=60)


def shown(page: AppTest) -> str:
    """Every text on the page, HTML included."""
    found = [str(getattr(element, "value", "") or "") for element in page.main]
    return "\n".join([*found, *(str(getattr(each, "proto", "")) for each in page.main)])
