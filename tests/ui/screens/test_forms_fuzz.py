"""People who do anything at any moment: whatever they do, what they hand in is what stood on the screen."""

from __future__ import annotations

import os
import re
from random import Random

import pytest
from playwright.sync_api import Error, expect
from support.browser.form_page import OPTIONS, READ, FormPage, answer_of, same, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
WAYS = int(os.environ.get("STUDY_FUZZ_WAYS", "200"))
STEPS = (("about", 0, "quiz"), ("quiz", 0, "quiz 2"), ("quiz", 1, "last"))
TEXTS = {
    ("about", 0): ("words", "remark", "years"),
    ("quiz", 0): ("say", "fix"),
    ("quiz", 1): ("explain",),
}
CHOICES = {("about", 0): ("role", "tools", "ease", "extra"), ("quiz", 0): ("pick",), ("quiz", 1): ("ticks",)}
WORDS = ("alpha ", "b\u00eata ", "\u4e2d\u6587 ", "\U0001f600", "(x)", "    y", "'", "# z")
NUMBERS = ("1", "2", "5", "60")
KEYS = ("Home", "End", "ArrowLeft", "Backspace", "Delete", "Control+z", "Control+Shift+z", "Shift+Home", "Control+a")


class Fuzz:
    """One person on the short study, driven by a seed."""

    def __init__(self, server, person: FormPage, seed: int, *, kills: bool) -> None:
        self.server, self.person, self.rng, self.kills = server, person, Random(seed), kills
        self.done: list[str] = []

    @property
    def page(self):
        return self.person.page

    def way(self, steps: tuple[tuple[str, int, str], ...] = STEPS) -> None:
        for stage, step, following in steps:
            for _ in range(self.rng.randint(4, 12)):
                self.act(stage, step)
            self.hand_in(stage, step, following)

    def act(self, stage: str, step: int) -> None:
        acts = ["type"] * 8 + ["key"] * 5 + ["choose"] * 5 + ["paste", "paste", "reload", "offline", "window", "wait"]
        acts += ["kill"] if self.kills and self.rng.random() < 0.3 else []
        act = self.rng.choice(acts)
        self.done.append(act)
        here = stage if step == 0 else f"{stage} {step + 1}"
        {
            "type": lambda: self.write(stage, step),
            "key": lambda: self.page.keyboard.press(self.rng.choice(KEYS)) if self.in_text() else None,
            "choose": lambda: self.choose(stage, step),
            "paste": lambda: self.paste(stage, step),
            "reload": lambda: self.again(here, self.page.reload),
            "offline": lambda: self.offline(stage, step),
            "window": lambda: self.window(here),
            "wait": lambda: self.page.wait_for_timeout(self.rng.randint(50, 2500)),
            "kill": lambda: self.kill(stage, step),
        }[act]()

    def in_text(self) -> bool:
        return self.page.evaluate("!!document.activeElement?.matches('.sa-text:not([inputmode]), .cm-content')")

    def write(self, stage: str, step: int) -> None:
        name = self.rng.choice(TEXTS[stage, step])
        self.person.box(name).click()
        if name == "years":
            self.person.box(name).fill(self.rng.choice(NUMBERS))
        else:
            self.page.keyboard.type("".join(self.rng.choices(WORDS, k=self.rng.randint(1, 4))))

    def paste(self, stage: str, step: int) -> None:
        name = next(name for name in TEXTS[stage, step] if name != "years")
        self.page.evaluate("text => navigator.clipboard.writeText(text)", "".join(self.rng.choices(WORDS, k=5)))
        self.person.box(name).click()
        self.page.keyboard.press("Control+v")

    def choose(self, stage: str, step: int) -> None:
        name = self.rng.choice(CHOICES[stage, step])
        clear = self.person.field(name).get_by_role("button", name="Clear my answer")
        if clear.is_visible() and self.rng.random() < 0.4:
            clear.click()
        else:
            self.person.choose(name, self.rng.randrange(len(OPTIONS[name])))

    def again(self, here: str, act) -> None:
        before = self.person.screen()
        act()
        self.person.at(here)
        assert self.person.screen() == before, self.done

    def offline(self, stage: str, step: int) -> None:
        self.page.context.set_offline(True)
        for _ in range(self.rng.randint(1, 3)):
            self.write(stage, step)
            self.choose(stage, step)
        self.page.wait_for_timeout(self.rng.randint(0, 1500))
        self.page.context.set_offline(False)

    def window(self, here: str) -> None:
        """Another window takes over once the first one's words are with the server, and the first one is closed."""
        first, before = self.page, self.person.screen()
        stage, _, step = here.partition(" ")
        given = {name: value for name, value in before.items() if value is not None}
        until(lambda: given.keys() <= self.person.draft(stage, int(step or 1) - 1).keys())
        until(lambda: first.evaluate("document.querySelector('.sa-saving').dataset.state") == "saving_saved")
        first.wait_for_timeout(2500)
        self.person.page = first.context.new_page()
        self.person.page.goto(self.server.url)
        self.person.at(here)
        assert self.person.screen() == before, self.done
        first.close()

    def kill(self, stage: str, step: int) -> None:
        self.server.kill()
        try:
            self.write(stage, step)
        finally:
            self.server.start()

    def hand_in(self, stage: str, step: int, following: str) -> None:
        shown = self.person.screen()
        name = "Submit quiz" if following == "last" else "Continue"
        clicks = self.rng.choice([1, 1, 2])
        self.person.button(name).click(click_count=clicks)
        anyway = self.person.button("Continue anyway")
        fields = {"quiz": "fix", "quiz 2": "explain", "last": "liked"}
        expect(anyway.or_(self.person.field(fields[following])).first).to_be_visible(timeout=60_000)
        if anyway.is_visible():
            try:
                anyway.click(timeout=5_000)
            except Error:
                assert self.person.field(fields[following]).is_visible()
        self.person.at(following)
        answers = {name: value for name, value in self.person.answers(stage).items() if name in shown}
        assert same(shown, answers), (shown, answers, self.done)


RECORD = """() => {
  const read = READ;
  window.screens = [];
  const note = () => {
    const shown = read();
    if (!("fix" in shown)) return;
    const text = JSON.stringify(shown);
    if (window.screens.at(-1)?.text !== text) window.screens.push({ at: performance.now(), text, shown });
    if (!document.querySelector(".sa-form .sa-primary").disabled) window.open_until = performance.now();
  };
  // After every single change: a deadline may fall between two letters that are typed in the same moment.
  for (const kind of ["input", "change"]) document.addEventListener(kind, note);
  const code = document.querySelector(".cm-content");
  new MutationObserver(note).observe(code, { childList: true, characterData: true, subtree: true });
  setInterval(note, 10);
}""".replace("READ", READ)
"""Keeps every state of the quiz page's fields, and when it was last open."""
DOUBT_MS = 1500
"""Between the end by the server's clock and the last thing that a page takes."""


class Deadline(Fuzz):
    """The same person, who is still at it when the time runs out."""

    def way(self) -> None:
        self.person.to_quiz()
        for _ in range(self.rng.randint(1, 4)):
            self.act("quiz", 0)
        self.person.end_in("quiz", self.rng.uniform(7, 12))
        clock = self.page.get_by_role("timer", name="Time left")
        self.write("quiz", 0)
        expect(clock).to_have_text(re.compile(r"0:\d\d"))
        self.page.evaluate(RECORD)
        # The page may go any moment: what does not find its field any more is not done.
        self.page.context.set_default_timeout(1000)
        try:
            while self.person.field("fix").count():
                self.rng.choice([self.write, self.write, self.paste, self.choose, self.offline])("quiz", 0)
        except Error:
            pass
        self.page.context.set_default_timeout(60_000)
        self.page.context.set_offline(False)
        expect(self.person.field("liked")).to_be_visible(timeout=60_000)
        stood = self.stood()
        until(lambda: any(same(shown, self.person.answers("quiz")) for shown in stood))

    def stood(self) -> list[dict]:
        """What stood on the screen about when the time was over."""
        screens, end = self.page.evaluate("[window.screens, window.open_until]")
        ends = [screen["at"] for screen in screens[1:]] + [float("inf")]
        late = [screen["shown"] for screen, until_ms in zip(screens, ends, strict=True) if until_ms >= end - DOUBT_MS]
        return [{name: answer_of(name, value) for name, value in shown.items()} for shown in late]


def test_a_person_who_does_anything_at_any_moment_loses_no_text(server, page):
    Fuzz(server, FormPage(server, page).start(), 7, kills=False).way(STEPS[:2])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(WAYS))
def test_no_way_through_the_forms_loses_text(server, page, seed):
    Fuzz(server, FormPage(server, page).start(), seed, kills=seed % 4 == 0).way()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(WAYS // 10))
def test_no_way_into_a_deadline_loses_text(server, page, seed):
    Deadline(server, FormPage(server, page).start(), seed, kills=False).way()
