// What our pages do beyond links and forms. Without this file everything still works, by reloading.
"use strict";

(() => {
  const EVERY = 2000; // milliseconds between two looks at something that goes on
  const CALM = 5000; // the same while the stream tells what happens
  const SOON = 100; // from an event to the look that follows, and between two of those
  const BETWEEN = 700;
  const KEPT = 500; // log lines remembered for a log that opens
  const TONES = { DEBUG: "debug", INFO: "info", WARNING: "warning", ERROR: "error", CRITICAL: "error" };
  const root = document.querySelector(".celesta");
  if (!root) return;
  root.classList.add("scripted");
  const headers = { "X-Celesta-Fragment": "1" };
  const live = document.getElementById("live");
  const panel = document.querySelector("dialog.panel");
  let open = ""; // the address of the node in the panel
  let looked = Date.now(); // when the page was last looked at

  // Where a page that needs scripts does better, it is taken.
  function scripted(within) {
    for (const link of within.querySelectorAll("a[data-scripted]")) link.href = link.dataset.scripted;
  }
  scripted(document);

  // A filter applies as soon as it is chosen.
  for (const form of document.querySelectorAll("form[data-auto]")) {
    form.addEventListener("change", (event) => {
      if (event.target.type !== "search") form.requestSubmit();
    });
  }

  // What a form would do is told as soon as something is chosen; an older answer is not shown.
  for (const form of document.querySelectorAll("form[data-preview]")) {
    const shown = form.querySelector("[data-previewed]");
    let asked = 0;
    form.addEventListener("change", async (event) => {
      const names = form.dataset.preview.split(" ");
      if (!names.includes(event.target.name)) return;
      const mine = ++asked;
      const chosen = [...new FormData(form)].filter(([name]) => names.includes(name));
      const answer = await fetch(`?${new URLSearchParams(chosen)}`, { headers, credentials: "same-origin" });
      const html = answer.ok && !answer.redirected ? await answer.text() : "";
      if (mine === asked) shown.innerHTML = html;
    });
  }

  // What grows to the right is first seen at its end.
  for (const element of document.querySelectorAll(".scroll[data-end]")) {
    element.scrollLeft = element.scrollWidth;
  }

  // Instants are put on the viewer's clock by frame.js.
  function filled(within) {
    document.dispatchEvent(new CustomEvent("celesta:filled", { detail: within }));
  }

  document.addEventListener("submit", (event) => {
    const question = event.submitter && event.submitter.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // Rows are chosen one by one, or all that are shown; what is done with them waits for the first.
  function counted() {
    const boxes = [...root.querySelectorAll("input[name=chosen]")];
    const chosen = boxes.filter((box) => box.checked).length;
    for (const button of root.querySelectorAll("[data-of-chosen]")) button.disabled = !chosen;
    for (const place of root.querySelectorAll("[data-choosing]")) place.textContent = `${chosen} chosen:`;
    for (const all of root.querySelectorAll("[data-choose-all]")) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  }
  root.addEventListener("change", ({ target }) => {
    if ("chooseAll" in target.dataset) {
      root.querySelectorAll("input[name=chosen]").forEach((box) => { box.checked = target.checked; });
    }
    counted();
  });
  window.addEventListener("pageshow", counted); // a browser that goes back remembers the ticks
  counted();

  // A node opens beside its run.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-panel]");
    if (!link || !panel || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    show(link.href || link.getAttribute("href") || link.href.baseVal);
  });

  async function show(address) {
    open = typeof address === "string" ? address : address.baseVal;
    await fill();
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
  }

  async function fill() {
    const answer = await fetch(open, { headers, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) { window.location.href = open; return; }
    const kept = [...panel.querySelectorAll("details")].map((one) => one.open);
    const top = panel.scrollTop;
    panel.innerHTML = await answer.text();
    scripted(panel);
    panel.querySelectorAll("details").forEach((one, i) => { if (i in kept) one.open = kept[i]; });
    panel.querySelectorAll("[data-log]").forEach((log) => {
      lines.forEach((line) => say(log, line));
      log.scrollTop = log.scrollHeight;
    });
    panel.scrollTop = top;
    filled(panel);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button close";
    close.setAttribute("aria-label", "Close");
    close.innerHTML = '<svg class="icon" aria-hidden="true"><use href="#ce-close"/></svg>';
    close.addEventListener("click", () => panel.close());
    panel.prepend(close);
  }

  if (panel) {
    panel.addEventListener("close", () => { open = ""; });
    panel.addEventListener("click", (event) => {
      if (event.target !== panel) return;
      const box = panel.getBoundingClientRect();
      if (event.clientX < box.left) panel.close();
    });
  }

  // What goes on is told by the run's stream (stream.js); where there is none, the page is looked
  // at again and again, until it is over or out of sight.
  let streaming = false;
  let due = 0; // the timer of the next look
  if (live && live.dataset.live === "1") {
    const timer = window.setInterval(async () => {
      if (document.hidden || live.contains(document.activeElement?.closest("select"))) return;
      if (streaming && Date.now() - looked < CALM) return; // only durations go on by themselves
      if (await refresh() === false) window.clearInterval(timer);
    }, Number(live.dataset.every) || EVERY);
    document.addEventListener("celesta:open", () => { streaming = true; });
    document.addEventListener("celesta:lost", () => { streaming = false; });
    document.addEventListener("celesta:event", ({ detail }) => { mark(detail); soon(); });
    document.addEventListener("celesta:end", () => { window.clearTimeout(due); refresh(); });
  }

  // Many events in a moment are one look.
  function soon() {
    if (due) return;
    const wait = Math.max(SOON, looked + (Number(live.dataset.between) || BETWEEN) - Date.now());
    due = window.setTimeout(async () => { due = 0; await refresh(); }, wait);
  }

  // A node's new state is shown at once; the look that follows brings the rest.
  let badges = null; // of the rows that are shown, by the end of their node's address
  function mark({ scope, index, kind }) {
    if (index === null || !document.getElementById(`ce-${kind}`)) return;
    badges ||= new Map([...live.querySelectorAll("th a[data-panel]")].map((link) => [
      link.getAttribute("href").match(/\/nodes\/\d+\/\d+\/$/)?.[0], link.closest("tr").querySelector(".badge"),
    ]));
    const badge = badges.get(`/nodes/${scope}/${index}/`);
    if (badge) {
      badge.className = `badge s-${kind}`;
      badge.querySelector("use").setAttribute("href", `#ce-${kind}`);
      badge.lastChild.textContent = kind.replace("_", " ");
    }
  }

  // Log lines go to the log that is open, if it is theirs; one that opens later gets those that
  // came while it was being fetched.
  const lines = [];
  document.addEventListener("celesta:log", ({ detail }) => {
    lines.push(detail);
    if (lines.length > KEPT) lines.shift();
    document.querySelectorAll("[data-log]").forEach((log) => say(log, detail));
  });

  function say(log, line) {
    if (Number(log.dataset.scope) !== line.scope || Number(log.dataset.index) !== line.index) return;
    if (log.querySelector(`[data-line="${line.id}"]`)) return;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const item = document.createElement("li");
    item.dataset.line = line.id;
    item.className = `t-${TONES[line.level] || (/^(ERROR|CRITICAL)/.test(line.level) ? "error" : "info")}`;
    const at = document.createElement("time");
    at.dateTime = at.title = line.at;
    Object.assign(at.dataset, { exact: "", clock: "3" });
    const level = document.createElement("b");
    level.textContent = line.level;
    const logger = document.createElement("span");
    logger.className = "logger";
    logger.textContent = line.logger;
    const text = document.createElement("span");
    text.className = "text";
    text.textContent = line.text;
    item.append(at, " ", level, " ", logger, " ", text);
    const next = [...log.children].find((other) => Number(other.dataset.line) > line.id);
    filled(item);
    log.insertBefore(item, next || null);
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  async function refresh() {
    looked = Date.now();
    const address = new URL(window.location.href);
    address.hash = "";
    for (const name of ["seen", "was"]) {
      if (live.dataset[name]) address.searchParams.set(name, live.dataset[name]);
    }
    let answer;
    try {
      answer = await fetch(address, { headers, credentials: "same-origin" });
    } catch {
      return true; // the server is away for a moment: try again
    }
    if (answer.status === 204) return true;
    if (answer.redirected || answer.status === 403 || answer.status === 404) return false;
    if (!answer.ok) return true;
    put(await answer.text());
    if (panel && panel.open && open) await fill();
    return live.dataset.live === "1";
  }

  function put(html) {
    const scrolled = [...live.querySelectorAll(".scroll, .graph, pre")].map((e) => [e.scrollLeft, e.scrollTop]);
    const chosen = new Set([...live.querySelectorAll("input[name=chosen]:checked")].map((box) => box.value));
    const held = document.activeElement && live.contains(document.activeElement)
      ? document.activeElement.getAttribute("href") : null;
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const parts = fresh.content.querySelectorAll("[data-part]");
    for (const part of parts) {
      const place = root.querySelector(`[data-part="${part.dataset.part}"]`);
      // Buttons stay under the pointer, and keep the focus, until there are others.
      if (part.dataset.of && part.dataset.of === place.dataset.of) continue;
      Object.assign(place.dataset, part.dataset);
      place.replaceChildren(...part.childNodes);
    }
    if (!parts.length) live.replaceChildren(fresh.content);
    badges = null;
    live.querySelectorAll("input[name=chosen]").forEach((box) => { box.checked = chosen.has(box.value); });
    counted();
    filled(live);
    live.querySelectorAll(".scroll, .graph, pre").forEach((element, i) => {
      if (i in scrolled) [element.scrollLeft, element.scrollTop] = scrolled[i];
    });
    if (held) [...live.querySelectorAll("a")].find((a) => a.getAttribute("href") === held)?.focus({ preventScroll: true });
    Object.assign(live.dataset, live.querySelector(".state-of-live").dataset);
    document.dispatchEvent(new CustomEvent("celesta:shown"));
  }
})();
