"""A task with its checks, or a bank with its keys, for the author who looks.

Shows: what participants never see. Records: nothing.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from study_app.bootstrap import App
from study_app.domain.quiz.items import Item
from study_app.domain.tasks.packs import TaskPack
from study_app.ui.components import top
from study_app.ui.markdown import to_html

STYLE = """<style>
.look table { border-collapse: collapse; width: 100%; font-size: .93rem; margin: 0 0 1rem; }
.look :is(th, td) { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0;
  border-bottom: 1px solid rgba(128, 136, 150, .35); }
.look pre { background: rgba(128, 136, 150, .12); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto;
  font-size: .88rem; line-height: 1.5; }
.look h2 { margin-top: 1.6rem; } .look .right { font-weight: 650; }
</style>"""


def draw_look(app: App, look: str) -> bool:
    """Draw `pack:FOLDER` or `bank:FOLDER`; False where the study has no such folder."""
    kind, _, folder = look.partition(":")
    if kind == "pack" and folder in app.library.pack_folders:
        html = pack_html(app.context.content.pack(folder))
    elif kind == "bank" and folder in app.library.bank_folders:
        bank, keys = app.context.content.bank(folder), app.context.content.keys(folder)
        items = "".join(item_html(number, item, keys[item.id]) for number, item in enumerate(bank.items, 1))
        html = f"<h1>{escape(folder)}</h1><p>{len(bank.items)} items. Keys never reach participants.</p>{items}"
    else:
        return False
    top(f"look:{look}", "", app.texts[app.study.language]["page.skip"])
    st.html(f'{STYLE}<p><a href="/" target="_self">Back to the study</a></p><div class="look">{html}</div>')
    return True


def pack_html(pack: TaskPack) -> str:
    """Return a task pack: brief, programs and every check."""
    rows = "".join(
        f"<tr><td>{escape(check.name)}</td><td>{'example' if check.visible else 'hidden'}</td>"
        f"<td>{escape(check.wrong or check.varies)}</td></tr>"
        for check in pack.checks
    )
    head = "<tr><th>Check</th><th>Kind</th><th>Its wrong program</th></tr>"
    checks = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    programs = [("checks.py", (Path(pack.folder) / "checks.py").read_text(encoding="utf-8", errors="replace"))]
    programs += [("Starter", pack.starter), ("Reference solution", pack.solution)]
    programs += [(f"Wrong program: {name}", code) for name, code in pack.wrong.items()]
    listed = "".join(f"<h2>{escape(name)}</h2><pre>{escape(code)}</pre>" for name, code in programs)
    return (
        f"<h1>{escape(pack.title)}</h1>{to_html(pack.brief)}<h2>Checks</h2>{checks}{listed}"
        f"<h2>Notes on the library</h2>{to_html(pack.reference)}"
    )


def item_html(number: int, item: Item, key: Any) -> str:
    """Return an item with its key."""
    right = set(getattr(key, "correct", ()) or ())
    options = "".join(
        f"<li{' class=right' if option.id in right else ''}>{to_html(option.text)}"
        f"{' (right)' if option.id in right else ''}</li>"
        for option in item.options
    )
    code = f"<pre>{escape(item.code)}</pre>" if item.code else ""
    return (
        f"<h2>{number}. <code>{escape(item.id)}</code> ({escape(item.type)})</h2>{to_html(item.prompt)}{code}"
        f"{f'<ul>{options}</ul>' if options else ''}<h3>Key</h3><pre>{escape(_plain(key))}</pre>"
    )


def _plain(key: Any) -> str:
    """Return a key as its author wrote it: what was left out stays out."""
    lines = []
    for name, value in key.model_dump(mode="json", exclude_defaults=True).items():
        for each in value if isinstance(value, list) else [value]:
            lines.append(f"{name}: {each if isinstance(each, str) else json.dumps(each, ensure_ascii=False, indent=2)}")
    return "\n".join(lines)
