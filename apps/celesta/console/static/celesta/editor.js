// The document editor: line numbers, marks at lines that are wrong, colours, checks while typing.
// It is one textarea: without this file it is still all there, and the buttons do the same.
"use strict";

(() => {
  const form = document.querySelector("form[data-editor]");
  if (!form) return;
  const area = form.querySelector("[data-source]");
  const gutter = form.querySelector("[data-gutter]");
  const colours = form.querySelector("[data-colours]");
  const verdict = form.querySelector("[data-verdict]");
  const list = form.querySelector("[data-problems]");
  const COLOURED = 4000; // lines; colouring more would be felt while typing
  const PAUSE = 700; // milliseconds without a key before the text is checked
  const LINE = 20; // pixels, as in the style sheet
  let problems = JSON.parse(document.getElementById("marks").textContent || "[]");
  let saved = area.value, timer = 0, asked = 0, drawn = -1;

  const escape = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
  const span = (kind, text) => `<span class="${kind}">${escape(text)}</span>`;

  function coloured(line) {
    const comment = line.match(/(^|\s)#.*$/);
    const body = comment ? line.slice(0, comment.index) : line;
    const key = body.match(/^(\s*(?:- +)*)([\w.$-]+|"[^"]*"|'[^']*')(:)(?=\s|$)/);
    let html = key ? escape(key[1]) + span("key", key[2]) + ":" : "";
    html += (key ? body.slice(key[0].length) : body).replace(
      /\{\{.*?\}\}|"(?:\\.|[^"\\])*"|'[^']*'|\b(?:true|false|null|\d+(?:\.\d+)?(?:ms|s|m|h|d)?)\b|[^{"'\w]+|[\w]+|./g,
      (part) => {
        if (part.startsWith("{{")) return span("hole", part);
        if (/^["']/.test(part)) return span("text", part).replace(/\{\{.*?\}\}/g, (hole) => `<span class="hole">${hole}</span>`);
        return /^(true|false|null|\d)/.test(part) ? span("word", part) : escape(part);
      });
    return html + (comment ? span("comment", line.slice(comment.index)) : "");
  }

  function draw() {
    const lines = area.value.split("\n");
    const sheet = area.parentElement;
    const colour = lines.length <= COLOURED;
    sheet.classList.toggle("coloured", colour);
    colours.innerHTML = colour ? lines.map(coloured).join("\n") + "\n" : "";
    if (drawn !== lines.length) {
      gutter.innerHTML = lines.map((_, i) => `<i>${i + 1}</i>`).join("");
      drawn = lines.length;
      mark();
    }
    follow();
  }

  function follow() {
    colours.scrollTop = area.scrollTop;
    colours.scrollLeft = area.scrollLeft;
    gutter.scrollTop = area.scrollTop;
  }

  function mark() {
    for (const number of gutter.querySelectorAll(".error, .warning")) { number.className = ""; number.title = ""; }
    for (const problem of problems) {
      const number = gutter.children[(problem.line || 1) - 1];
      if (!number) continue;
      if (number.className !== "error") number.className = problem.severity;
      number.title += `${problem.message}\n`;
    }
  }

  function tell() {
    const errors = problems.filter((p) => p.severity === "error").length;
    const icon = (name) => `<svg class="icon" aria-hidden="true"><use href="#ce-${name}"/></svg>`;
    verdict.className = `verdict ${errors ? "wrong" : "good"}`;
    verdict.innerHTML = errors ? `${icon("failed")}${errors} error${errors === 1 ? "" : "s"}` : `${icon("succeeded")}valid`;
    area.toggleAttribute("aria-invalid", errors > 0);
    list.replaceChildren();
    if (problems.length) {
      const ol = document.createElement("ol");
      for (const problem of problems) {
        const li = document.createElement("li");
        li.className = problem.severity;
        li.innerHTML = `<a href="#source"></a> <span><b></b> <span class="hint"></span> <span class="quiet"><code></code> <span></span></span></span>`;
        const link = li.querySelector("a");
        link.dataset.line = problem.line || "";
        link.textContent = problem.line ? `line ${problem.line}` : "document";
        li.querySelector("b").textContent = problem.message;
        li.querySelector(".hint").textContent = problem.hint;
        li.querySelector("code").textContent = problem.path;
        li.querySelector(".quiet span").textContent = problem.code;
        ol.append(li);
      }
      list.append(ol);
    }
    mark();
  }

  async function check() {
    const mine = ++asked;
    const body = new FormData(form);
    try {
      const answer = await fetch(form.dataset.validate, { method: "POST", body, credentials: "same-origin" });
      if (!answer.ok || answer.redirected || mine !== asked) return;
      problems = (await answer.json()).problems;
      tell();
    } catch { /* away for a moment: the next key asks again */ }
  }

  function insert(text) {
    // execCommand keeps the browser's own undo; setRangeText would throw it away.
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    }
  }

  let leave = false; // after Escape, Tab leaves the editor: nobody is caught in it
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { leave = true; return; }
    if (event.key === "Tab" && !event.shiftKey && !leave) { event.preventDefault(); insert("  "); }
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      const line = area.value.slice(0, area.selectionStart).split("\n").pop();
      event.preventDefault();
      insert("\n" + line.match(/^\s*/)[0] + (/:\s*$/.test(line) ? "  " : ""));
    }
    if (event.key !== "Tab") leave = false;
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
    event.preventDefault();
    form.querySelector('button[value="save"]').click();
  });
  area.addEventListener("scroll", follow);
  area.addEventListener("input", () => {
    draw();
    window.clearTimeout(timer);
    timer = window.setTimeout(check, PAUSE);
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    event.preventDefault();
    const line = Number(link.dataset.line || 1);
    const start = area.value.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const end = area.value.indexOf("\n", start);
    area.focus();
    area.setSelectionRange(start, end < 0 ? area.value.length : end);
    area.scrollTop = Math.max(0, (line - 5) * LINE);
  });
  form.addEventListener("submit", () => { saved = area.value; });
  window.addEventListener("beforeunload", (event) => { if (area.value !== saved) event.preventDefault(); });

  draw();
  if (problems.length || verdict.textContent.trim() !== "draft") { mark(); }
  if (area.value.trim()) check();
})();
