"""What a command imports before it does anything."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"anthropic", "streamlit", "matplotlib", "statsmodels", "sklearn", "pingouin"}


def test_a_command_starts_without_what_only_some_commands_need():
    code = "import study_app.cli, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
