"""A page of a study in the language of no people, searched for what stands on it in plain letters."""

from __future__ import annotations

from playwright.sync_api import expect
from support.browser.drawing import drawn
from support.browser.pseudo import CODE, FIND, plain, pseudo

FIND_BESIDE_THE_BAR = f"() => {{ document.querySelector('.st-key-author_bar')?.remove(); return ({FIND})(); }}"


class Look:
    """A page; what stands on it in plain letters is kept by where it was."""

    def __init__(self, page):
        self.page = page
        self.found: dict[str, list[str]] = {}

    def here(self, station: str) -> None:
        self.settle()
        if left := plain(self.page.evaluate(FIND_BESIDE_THE_BAR)):
            self.found[station] = left

    def settle(self) -> None:
        drawn(self.page)
        expect(self.page.locator("main, .sa-room").first).to_be_visible()

    def button(self, english: str):
        return self.page.get_by_role("button", name=pseudo(english), exact=True)

    def press(self, english: str) -> None:
        self.settle()
        self.button(english).first.click()

    def write(self, code: str) -> None:
        self.page.get_by_role("textbox", name=pseudo("Code editor")).click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(code)

    def ask(self, message: str) -> None:
        self.page.get_by_role("textbox", name=pseudo("Your message")).fill(message)
        self.press("Send")


def enter(server, look) -> None:
    """Come in as a new person."""
    look.page.goto(f"{server.url}/enter?again=1&language={CODE}")
    # The other language stands in its own words.
    look.page.evaluate("document.querySelector('.languages a[hreflang=en]')?.remove()")
    look.here("welcome")
    look.press("Start")
    expect(look.button("I agree")).to_be_visible()


def steps_of_an_agent(look) -> None:
    """One message too short to be understood, then a whole turn, with each kind of decision."""
    look.ask("x")
    answers = {"agent-answer": "all", "agent-apply": "", "agent-reject": ""}
    rejected = False
    for step in range(12):
        acts = look.page.locator(".sa-agent [data-act]:visible")
        expect(acts.first.or_(look.button("Send"))).to_be_visible(timeout=60_000)
        if look.button("Send").is_visible() and not acts.count():
            break
        look.here(f"agent, step {step}")
        offered = acts.evaluate_all("all => all.map(one => one.dataset.act)")
        if "agent-answer" in offered:
            look.page.locator(".sa-agent textarea").fill(answers["agent-answer"])
            look.page.locator("[data-act=agent-answer]").click()
        elif "agent-edit_apply" in offered and not rejected:
            rejected = True
            look.page.locator("[data-act=agent-edit_apply]").click()
            look.here("agent, a change that is changed")
            look.page.locator("[data-act=agent-apply]").click()
        else:
            look.page.locator("[data-act=agent-apply]").click()
    look.here("agent, at the end")
    expect(look.page.locator(".sa-steps li").last).to_contain_text(pseudo("Changes made:"))
