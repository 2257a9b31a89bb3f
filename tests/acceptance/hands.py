"""A person's hands: a mouse and a keyboard, and nothing else.

Locators only say where things are. What is out of sight is scrolled to with the wheel, and what
something else covers cannot be clicked: where these hands cannot do a thing, a person cannot.
"""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

#: Whether a press in the middle of the element would reach it, or its label.
REACHED = """(element) => {
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return top !== null && (element.contains(top) || top.contains(element) && top !== document.body
    && top.closest('label, button, a, th, td') !== null);
}"""
TWO_FRAMES = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
NOTCH = 120  # pixels of one notch of the wheel


class Hands:
    """Moves, presses and types on one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def point(self, item: Locator) -> tuple[float, float]:
        """Bring it into sight, wait until it stands still, and say where its middle is."""
        expect(item).to_be_visible()
        size = self.page.viewport_size
        assert size
        for _ in range(60):
            before = None
            while before != (before := item.bounding_box()):
                self.page.evaluate(TWO_FRAMES)
            if before is None:  # put there anew in the midst of this: look again where it is
                expect(item).to_be_visible()
                continue
            x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
            if item.evaluate(REACHED):
                return x, y
            self.page.mouse.move(min(max(x, 8), size["width"] - 8), size["height"] / 2)
            self.page.mouse.wheel(0, NOTCH if y > size["height"] / 2 else -NOTCH)
        raise AssertionError(f"it cannot be reached with the mouse: {item}")

    def click(self, item: Locator) -> None:
        """Press the mouse on it."""
        expect(item).to_be_enabled()
        self.page.mouse.click(*self.point(item))

    def drag(self, item: Locator, to: tuple[float, float]) -> None:
        """Drag it to a point of the window."""
        x, y = self.point(item)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 12, y + 12, steps=3)
        self.page.mouse.move(*to, steps=12)
        self.page.mouse.up()

    def press(self, key: str) -> None:
        """Press a key, or a chord like Control+a."""
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type where the cursor is."""
        self.page.keyboard.type(text)

    def write(self, field: Locator, text: str, then: str = "") -> None:
        """Click into a field, type over what it holds, and press one more key if given."""
        self.click(field)
        expect(field).to_be_focused()
        self.press("Control+a")
        self.type(text) if text else self.press("Delete")
        expect(field).to_have_value(text)
        if then:
            self.press(then)

    def choose(self, label: Locator, field: Locator, text: str) -> None:
        """Go to a list by its label and choose by typing how the choice begins."""
        self.click(label)
        expect(field).to_be_focused()
        self.type(text)
