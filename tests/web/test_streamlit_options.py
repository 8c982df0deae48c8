"""`.streamlit/config.toml` at the root decides every option, wherever the apps start and whatever a user keeps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import study_app
from study_app.web import options

ROOT = Path(__file__).parents[2]
SHIPPED = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
HOSTILE = """
[server]
port = 9
baseUrlPath = "elsewhere"
headless = false
[browser]
gatherUsageStats = true
serverAddress = "elsewhere.example"
[client]
showErrorDetails = "full"
[theme]
base = "dark"
primaryColor = "#ff0000"
"""
READ = """
import json
from streamlit import config
from study_app.web.options import configure_streamlit
configure_streamlit()
options = config.get_config_options()
set_here = {key: option.value for key, option in options.items() if option.where_defined != "<default>"}
port, path = (config.get_option(f"server.{key}") for key in ("port", "baseUrlPath"))
print(json.dumps({"set": set_here, "port": port, "path": path}))
"""


def flat(table, prefix=""):
    for key, value in table.items():
        yield from flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]


@pytest.fixture
def hostile(tmp_path):
    """A home that is also the working directory, with its own options."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text(HOSTILE)
    return tmp_path


def run(code: str, folder: Path, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    command = [sys.executable, "-c", code]
    environment = kept | {"HOME": str(folder)} | environment
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_option_is_the_files_and_none_is_the_users(hostile):
    read = json.loads(run(READ, hostile))
    assert read["set"] == dict(flat(SHIPPED))
    assert (read["port"], read["path"]) == (8501, "")


def test_no_file_but_the_options_own_sets_an_option():
    sources = [path for path in Path(study_app.__file__).parent.rglob("*.py") if path != Path(options.__file__)]
    words = ("set_option(", "STREAMLIT_", "config.toml", "_config_options", "set_user_option")
    assert [path for path in sources if any(word in path.read_text(encoding="utf-8") for word in words)] == []


def test_ports_and_addresses_are_arguments_and_not_options():
    assert not {"server.port", "server.address", "browser.serverPort", "browser.serverAddress"} & set(
        dict(flat(SHIPPED))
    )


@pytest.mark.parametrize("prefix", ["share", "somewhere/else/share"])
def test_an_installation_finds_the_file_where_its_installer_put_it(tmp_path, prefix):
    site = tmp_path / "site"
    (site / "study_app/web").mkdir(parents=True)
    (site / "study_app/__init__.py").touch()
    (site / "study_app/web/__init__.py").touch()
    shutil.copy(options.__file__, site / "study_app/web/options.py")
    file = tmp_path / prefix / "study-app/.streamlit/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[server]\nheadless = true\n")
    info = site / "study_app-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: study-app\nVersion: 9\n")
    (info / "RECORD").write_text(f"../{prefix}/study-app/.streamlit/config.toml,,\n")
    code = "from study_app.web.options import config_file; print(config_file())"
    assert run(code, tmp_path, PYTHONPATH=str(site)).strip() == str(file.resolve())


def test_an_installation_without_the_file_says_so(monkeypatch):
    monkeypatch.setattr(options, "CHECKOUT", Path("/nonexistent/config.toml"))
    monkeypatch.setattr(options, "_installed", lambda: iter(()))
    with pytest.raises(FileNotFoundError, match="install study-app again"):
        options.config_file()
