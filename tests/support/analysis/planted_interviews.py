"""Answers of simulated interviewees with planted themes: words of the theme among words that everybody uses."""

import numpy as np

THEMES = {
    "hurry": "deadline clock minutes hurry rushed late timer pressure seconds running schedule quickly".split(),
    "trust": "wrong trusted doubt checked believe verify certain mistake suspicious confident reliable".split(),
    "learning": "understood concept learned remember explanation grasp principle meaning theory insight lesson".split(),
    "tools": "editor button screen window typing keyboard scroll highlight tab panel layout font".split(),
    "mood": "nervous calm frustrated happy annoyed enjoyed bored relaxed anxious proud tired excited".split(),
    "strategy": "planned first split smaller pieces tested steps order outline draft refactor approach".split(),
}
COMMON = (
    "i the a and to it was of in that had with my on for this then when some very just about did what there more "
    "program code function task answer question thing part work really think felt went would after before could them"
).split()
FILLER = "example moment point kind sort bit little again maybe quite often during started finished looked".split()


def planted(n=500, themes=5, seed=1, theme_words=6, other_words=22, endings=("", "", "s")):
    """Return answers and the number of each one's theme; a quarter of them name a word of another theme as well."""
    rng = np.random.default_rng(seed)
    names = list(THEMES)[:themes]
    answers, labels = [], []
    for place in range(n):
        theme = place % themes
        own = [str(word) + str(rng.choice(endings)) for word in rng.choice(THEMES[names[theme]], theme_words)]
        others = rng.choice(COMMON, other_words - 5).tolist() + rng.choice(FILLER, 5).tolist()
        if rng.random() < 0.25:
            others.append(str(rng.choice(THEMES[names[int(rng.integers(themes))]])))
        words = own + others
        rng.shuffle(words)
        answers.append(" ".join(words).capitalize() + ".")
        labels.append(theme)
    return answers, labels
