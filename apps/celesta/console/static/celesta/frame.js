// What every page of ours gets, the admin's own among them: instants on the viewer's clock, and what
// the keyboard lacks in Unfold's frame. Without this file instants are in the server's zone and say so.
"use strict";

(() => {
  const CLICKABLE = "[x-on\\:click]:not(a, button, input, [tabindex])";
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const padded = (number, digits = 2) => String(number).padStart(digits, "0");

  function clock(at, digits) {
    const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((one) => padded(one)).join(":");
    return digits === "3" ? `${time}.${padded(at.getMilliseconds(), 3)}` : time;
  }

  function localize(within) {
    for (const time of within.querySelectorAll("time[data-exact]")) {
      const at = new Date(time.dateTime);
      time.title = `${exact.format(at)} on your clock; ${time.title}`;
      if ("clock" in time.dataset) time.textContent = clock(at, time.dataset.clock);
      time.removeAttribute("data-exact");
    }
    // Instants within a hint or a text for screen readers.
    for (const one of within.querySelectorAll("[data-at]")) {
      const here = exact.format(new Date(one.dataset.at));
      const said = one.dataset.said;
      const hint = one.getAttribute("title");
      if (hint) one.setAttribute("title", hint.replace(said, here));
      for (const text of one.querySelectorAll("title, .visually-hidden")) {
        text.textContent = text.textContent.replace(said, here);
      }
      one.removeAttribute("data-at");
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
  // Whoever puts something into an open page says so.
  document.addEventListener("celesta:filled", ({ detail }) => localize(detail));

  function begin() {
    localize(document);
    completeFrame();
  }

  // Unfold's frame: a way past its menu, a main part, and keys for what opens by the mouse only.
  function completeFrame() {
    const content = document.getElementById("content");
    if (!content || !document.getElementById("header-inner")) return;
    content.setAttribute("role", "main");
    content.tabIndex = -1;
    const skip = document.createElement("a");
    skip.className = "celesta-skip";
    skip.href = "#content";
    skip.textContent = "Skip to content";
    skip.addEventListener("click", (event) => { event.preventDefault(); content.focus(); });
    document.body.prepend(skip);
    for (const one of document.querySelectorAll(CLICKABLE)) {
      const icon = one.classList.contains("material-symbols-outlined");
      if (!icon && !one.classList.contains("cursor-pointer")) continue;
      one.setAttribute("role", "button");
      one.tabIndex = 0;
      if (icon) one.setAttribute("aria-label", /sidebar/.test(one.getAttribute("x-on:click")) ? "Menu" : "More");
      one.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        one.click();
      });
    }
  }
})();
