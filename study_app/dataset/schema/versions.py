"""Reading a version of the study back from its canonical JSON."""

from __future__ import annotations

import json
from typing import Any

from study_app.dataset.schema.cells import parsed_json
from study_app.domain.allocation import Scheme
from study_app.domain.study.recruiting.completion_codes import DIGEST
from study_app.domain.study.study import Study


def read_version(text: str) -> Study:
    """Return the study that `Study.canonical()` wrote.

    Canonical JSON writes every default out, and a scheme refuses options that its method does not use; those that are
    at their default say nothing and are dropped. Where a digest stands for the completion codes (in older versions the
    codes themselves stood there), the study has the default ones, until `StudyContext.version` puts the kept ones back.

    Raises:
        ValueError: it is not a study.
    """
    raw = version_values(text)
    if isinstance(raw.get("allocation"), dict):
        raw["allocation"] = _given_keys(raw["allocation"])
    recruitment = raw.get("recruitment")
    if isinstance(recruitment, dict) and isinstance(recruitment.get("codes"), str):
        raw["recruitment"] = {name: value for name, value in recruitment.items() if name != "codes"}
    for session in raw.get("sessions") or ():
        if isinstance(session, dict) and str(session.get("code", "")).startswith(DIGEST):
            session["code"] = ""
    return Study.model_validate(raw)


def version_values(text: str) -> dict[str, Any]:
    """Return what stands in a version, by section, as plain values.

    Raises:
        ValueError: it is not a JSON object.
    """
    raw = parsed_json(text)
    if not isinstance(raw, dict):
        raise ValueError("no JSON object")
    return raw


def _given_keys(scheme: dict[str, Any]) -> dict[str, Any]:
    silent = json.loads(Scheme().model_dump_json())
    return {name: value for name, value in scheme.items() if name not in silent or value != silent[name]}
