"""What the console hands out as files: dataset, preregistration, tables; and the timeline of a replay."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from study_app.bootstrap import App, current
from study_app.domain.errors import InfrastructureError, NotAllowed
from study_app.services import replay
from study_app.services.account import Person, Role
from study_app.services.monitor import Monitor
from study_app.services.prereg import preregistration_of
from study_app.web.requests import BadRequest, route
from study_app.web.routes import console
