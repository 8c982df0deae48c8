"""A dataset against its registration: prereg.json as launch wrote it, or a published copy."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from study_app.dataset.border.folders import bounded_bytes, text_in
from study_app.dataset.integrity.signature import signed_content
from study_app.dataset.reading.dataset import UntrustedDataset
from study_app.dataset.schema import parsed_json
from study_app.dataset.verification.allocation import decision_of
from study_app.domain.errors import UserError
from study_app.domain.ledger import Anchor
from study_app.domain.study.study import canonical_json
from study_app.domain.text_files import decode_text

IN_DATASET = "materials/prereg.json"


def read_prereg(path: Path) -> dict[str, Any]:
    """Return the published registration.

    Raises:
        UserError: it cannot be read.
    """
    try:
        found = parsed_json(decode_text(bounded_bytes(path), str(path)))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: --prereg: cannot be read ({error}); give the prereg.json of the launch") from None
    if not isinstance(found, dict) or "seed_commitment" not in found:
        raise UserError(f"{path}: --prereg: is not a preregistration file; give the file that study launch wrote")
    return found


def check_registration(opened: UntrustedDataset, published: Mapping[str, Any] | None) -> None:
    """Signature, commitment, first version and plan against the registration in the dataset and the published one."""
    if not opened.own:
        return
    own = _own(opened)
    if published is not None and own != published:
        differing = sorted(key for key in {*published, *(own or {})} if (own or {}).get(key) != published.get(key))
        what = f"is not the published registration: {', '.join(differing)}"
        opened.report.add("registration_differs", IN_DATASET, None, what)
    # The published one counts: with a forged dataset comes a registration that fits it.
    registered = published if published is not None else own
    launched = opened.state != "draft"
    if registered is None:
        if launched:
            opened.report.add("registration_missing", IN_DATASET, None, "a launched study has one; export again")
        return
    _check_facts(opened, registered)
    _check_signature(opened, registered, strict=published is not None)


def registration_of(opened: UntrustedDataset) -> dict[str, Any]:
    """Return the registration in the dataset; empty where there is none."""
    return _own(opened) or {}


def _own(opened: UntrustedDataset) -> dict[str, Any] | None:
    try:
        found = parsed_json(text_in(opened.path, IN_DATASET))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def check_looks(opened: UntrustedDataset) -> None:
    """Each look in the manifest against the audit log, in both directions, and what it found against the digest there.

    The same of the waves that were closed.
    """
    entries = _acts(opened, "interim_looks")
    recorded = [str(entry.get("digest")) for entry in entries]
    listed = []
    for look in opened.listed("interim_looks"):
        digest, found = str(look.get("digest")), look.get("opened")
        listed.append(digest)
        # In both directions: a look that was left out of the dataset stands in the audit log, and the other way round.
        if digest not in recorded:
            opened.report.add(
                "look_unrecorded", "manifest.json", None, f"look {look.get('look')} is not in the audit log"
            )
        if found is not None and hashlib.sha256(canonical_json(found).encode()).hexdigest() != digest:
            what = f"look {look.get('look')} is not what the audit log has the digest of"
            opened.report.add("look_differs", "manifest.json", None, what)
    for entry in entries:
        if str(entry.get("digest")) not in listed and entry.get("kind", "real") in opened.kinds:
            what = f"look {entry.get('look')} of the audit log is not among those of the dataset"
            opened.report.add("look_removed", "manifest.json", None, what)
    _check_waves(opened)


def _check_waves(opened: UntrustedDataset) -> None:
    closed, stated = _acts(opened, "waves"), opened.manifest.get("closed_wave", 0)
    waves = [wave for entry in closed if isinstance(wave := entry.get("wave"), int)]
    if (closed or stated) and stated != max(waves, default=0):
        what = f"{stated} waves are closed by the manifest, {max(waves, default=0)} by the audit log"
        opened.report.add("wave_differs", "manifest.json", None, what)


def _acts(opened: UntrustedDataset, name: str) -> list[dict[str, Any]]:
    """Return the entries of the audit log of one kind of act, as far as the manifest lists them."""
    summary = opened.manifest.get("audit")
    entries = summary.get(name, []) if isinstance(summary, dict) else []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _check_facts(opened: UntrustedDataset, registered: Mapping[str, Any]) -> None:
    first = next((entry for entry in opened.listed("versions") if entry.get("locked_at")), {})
    study = opened.studies.get(str(first.get("study_hash")))
    facts = {
        "seed_commitment": opened.manifest.get("commitment"),
        "study_hash": first.get("study_hash"),
        "study_id": opened.manifest.get("study_id"),
        "launched_at": _stamp(opened.manifest.get("launched_at")),
    }
    if study is not None:
        facts["plan"] = study.analysis.model_dump(mode="json")
        facts["allocation"] = study.allocation.model_dump(mode="json")
    for name, found in facts.items():
        if canonical_json(found) != canonical_json(registered.get(name)):
            what = f"{name} is not the one that was registered at launch"
            opened.report.add("registration_differs", "manifest.json", None, what)
    opened.report.note("commitment, first version and plan against the registration")


def _stamp(moment: Any) -> Any:
    return moment.replace("+00:00", "Z") if isinstance(moment, str) else moment


def _check_signature(opened: UntrustedDataset, registered: Mapping[str, Any], *, strict: bool) -> None:
    key, signature = registered.get("export_key"), opened.manifest.get("signature")
    if not signature:
        # An export without the sealing key is a true one, too; only who brings the registration expects more.
        if strict:
            opened.report.add("signature_missing", "manifest.json", None, "the dataset is not signed by the study")
        else:
            opened.report.note("the dataset is NOT signed; it was exported without the sealing key")
        return
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(key)))
        public.verify(bytes.fromhex(str(signature)), signed_content(opened.manifest))
    except (InvalidSignature, ValueError):
        what = "was changed after the export, or not exported by the registered study"
        opened.report.add("signature_broken", "manifest.json", None, what)
        return
    opened.report.note("the signature of the study's server, over the manifest and so over every file")


def check_anchors(opened: UntrustedDataset, anchors: Collection[Anchor], decision: int = 1) -> None:
    """Row hashes of a decision's real ledger that were kept elsewhere: in a file of anchors, in a mail, in a registry.

    While arms are masked the rows of a second decision are withheld, and nothing can be said of them.
    """
    if decision > 1 and opened.hides("real"):
        return
    mine = (row for row in opened.rows("allocations") if row["ledger"] == "real" and decision_of(row) == decision)
    rows = {row["allocation_index"]: row for row in mine}
    file, of = opened.relative("allocations"), f" of decision {decision}" if decision > 1 else ""
    for anchor in anchors:
        row = rows.get(anchor.index)
        if row is None:
            what = f"allocation {anchor.index}{of} was written down, and it is gone"
            opened.report.add("row_removed", file, None, what)
        elif row["row_hash"] != anchor.row_hash:
            what = f"allocation {anchor.index}{of} or one before differs from the hash that was written down"
            opened.report.add("history_rewritten", file, row.number, what)
