"""Files to take away.

| Shows | Records |
| --- | --- |
| links to dataset, enrolment, preregistration, audit log | who takes a dataset, and thereby counts as unblinded |
"""

from __future__ import annotations

import streamlit as st

from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession, file_link

IN_THE_DATASET = {
    "draft": "Real participants do not exist before launch: tick preview to get the participants of this draft.",
    "launched": "Arms, strata and whatever exists in some arms only are withheld.",
    "closed": "Arms are masked as arm_a, arm_b, ...; what would reveal them is withheld.",
    "unsealed": "Complete, with arms and the seed.",
}


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    state = console.monitor.state()
    console.head("Downloads", "The same files as the commands make, masked by the trial's state.")
    st.header("Dataset", anchor=False)
    if console.full:
        _dataset(state)
    else:
        st.html(tables.note("The dataset holds participants' programs; the role full can download it."))
    st.header("Enrolment", anchor=False)
    st.html(tables.note("Who is where and since when. No arms, no answers, no programs."))
    st.html(file_link("/download/enrolment.csv", "Enrolment (CSV)"))
    st.header("Protocol", anchor=False)
    if state == "draft":
        st.html(tables.note("The preregistration is written at launch."))
    else:
        links = file_link("/download/prereg.md", "Preregistration (text)")
        st.html(links + file_link("/download/prereg.json", "Preregistration (JSON)"))
    st.html(file_link("/download/audit.csv", "Audit log (CSV)"))


FORMAT_NAMES = {
    "csv": "CSV",
    "parquet": "Parquet",
    "xlsx": "CSV and a workbook (xlsx)",
    "sav": "CSV and SPSS (sav)",
    "dta": "CSV and Stata (dta)",
}


def _dataset(state: str) -> None:
    st.html(tables.note(f"{IN_THE_DATASET[state]} Tables with a codebook and a manifest, zipped."))
    left, right, other, last = st.columns([3, 3, 3, 3])
    preview = left.checkbox("With preview", value=state == "draft", key="download_preview")
    simulated = right.checkbox("With simulated", key="download_simulated")
    public = other.checkbox("For everybody", key="download_public", help="Without what people wrote; see Release.")
    fmt = last.selectbox("Format", list(FORMAT_NAMES), format_func=FORMAT_NAMES.__getitem__, key="download_format")
    ticked = (("preview=1", preview), ("simulated=1", simulated), ("public=1", public), (f"format={fmt}", True))
    chosen = "&".join(name for name, on in ticked if on)
    st.html(file_link(f"/download/dataset.zip?{chosen}", "Dataset (zip)", main=True))
