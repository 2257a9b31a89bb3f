"""What is asked of a page in a browser, whoever shows it."""

from __future__ import annotations

from typing import Final

#: What makes a page wider than its window; empty when nothing does.
TOO_WIDE: Final = """() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide <= 0) return '';
  const all = [...document.querySelectorAll('body *')].filter(
    (one) => one.getBoundingClientRect().right > window.innerWidth + 1 && !one.closest('.scroll'));
  const some = all.slice(0, 4).map((one) => one.outerHTML.slice(0, 90));
  return `${wide} px too wide: ${some.join(' | ')}`;
}"""
