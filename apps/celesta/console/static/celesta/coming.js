// The next times of a schedule, in step with its form. Without this file they are shown once it is saved.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector(".celesta-coming");
  const form = place && document.getElementById("schedule_form");
  if (!form) return;
  const NAMES = ["cron", "every", "timezone", "at_0", "at_1", "anchor_0", "anchor_1", "starts_at_0", "starts_at_1", "ends_at_0", "ends_at_1"];
  const WAIT = 250; // milliseconds after the last key
  let timer = 0;
  let asked = 0;

  async function look() {
    const values = new URLSearchParams();
    for (const name of NAMES) values.set(name, form.elements[name]?.value ?? "");
    const number = ++asked;
    let answer;
    try {
      answer = await fetch(`${place.dataset.address}?${values}`, { credentials: "same-origin" });
    } catch {
      return; // the server is away for a moment: the next key asks again
    }
    if (answer.ok && !answer.redirected && number === asked) {
      place.innerHTML = await answer.text();
      document.dispatchEvent(new CustomEvent("celesta:filled", { detail: place }));
    }
  }

  const soon = (event) => {
    if (!NAMES.includes(event.target.name)) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(look, WAIT);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
});
