"""What the console's tests share: the trial of tests/services and its boards under AppTest."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "services"))

from console_trial import Trial, busy, work  # noqa: E402

from study_app.secrets.console_accounts import Account, ConsoleUser  # noqa: E402

PASSWORD = "correct horse battery"
SCRIPT = Path(__file__).parents[2] / "study_app" / "ui" / "console" / "app.py"
__all__ = ["PASSWORD", "SCRIPT", "Account", "ConsoleUser", "Trial", "busy", "work"]
