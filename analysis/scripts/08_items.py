"""Quality of the quiz, item by item. Run: python analysis/scripts/08_items.py DATASET."""

from analysis.scripts import show

show("Quality of the quiz, item by item.", lambda result: result["psychometrics"]["items"])
