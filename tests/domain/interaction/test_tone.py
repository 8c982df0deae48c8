"""The offline coder of tone reads the words of a text outside code, and gives the tone that stands out."""

from __future__ import annotations

import pytest

from study_app.domain.interaction.tone import NEUTRAL, TONES, tone_of


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("I give up, nothing works and I am out of time", "desperate"),
        ("please please just write it", "desperate"),
        ("It still does not work, this is ridiculous", "frustrated"),
        ("ugh, wrong again", "frustrated"),
        ("haha nice one :)", "playful"),
        ("Could you explain nurseries, please?", "polite"),
        ("Thanks!", "polite"),
        ("No rush. Let's go through it step by step.", "calm"),
        ("How does a nursery wait?", "neutral"),
        ("", "neutral"),
        ("```python\n# please help me, I give up\n```", "neutral"),
        ('Use `print("thanks")` here.', "neutral"),
    ],
)
def test_a_text_has_the_tone_of_its_words(text, tone):
    assert tone_of(text) == tone
    assert tone in TONES


def test_where_several_stand_out_the_first_of_the_codebook_counts():
    assert list(TONES)[-1] == NEUTRAL
    assert tone_of("please help me, I am so stuck") == "desperate"
