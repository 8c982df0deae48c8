"""What the console's tests share: the trial of tests/services and its boards under AppTest."""

from __future__ import annotations

from pathlib import Path

from support.trials.console_trial import Trial, busy, work

from study_app.secrets.console_accounts import Account, ConsoleUser

PASSWORD = "correct horse battery"
SCRIPT = Path(__file__).parents[3] / "study_app" / "ui" / "console" / "app.py"
__all__ = ["PASSWORD", "SCRIPT", "Account", "ConsoleUser", "Trial", "busy", "work"]
