// The live stream of a run, as events of the page.
//
// An element with data-stream (the address of the API's stream) and data-stream-after (the cursor
// of what the page shows already) is followed. Whoever wants to know listens on the document:
//
//   celesta:event  detail: {id, run, workflow, at, kind, scope, node, index, attempt, data}
//   celesta:log    detail: {id, run, at, scope, node, index, attempt, level, logger, text, dropped}
//   celesta:end    detail: {run, state}: the run is over, and everything of it was told
//   celesta:open   the stream answers; after an interruption, too
//   celesta:lost   there is no stream (refused, or none here): look at the page again yourself
//
// Each event and line is told once: after an interruption the browser comes back with the cursor of
// the last message. A page out of sight for a while hangs up, and goes on from there when it is
// seen again. Other modules import follow() to follow another run.

const HIDDEN_FOR = 30000; // milliseconds

export function follow(address, after, target = document) {
  let source = null;
  let cursor = after;
  let timer = 0;
  let over = false;
  const tell = (name, detail) => target.dispatchEvent(new CustomEvent(`celesta:${name}`, { detail }));

  function open() {
    const url = new URL(address, window.location.href);
    if (cursor) url.searchParams.set("after", cursor);
    source = new EventSource(url);
    source.onopen = () => tell("open", {});
    for (const kind of ["event", "log", "end"]) {
      source.addEventListener(kind, (message) => {
        cursor = message.lastEventId || cursor;
        if (kind === "end") { over = true; close(); }
        tell(kind, JSON.parse(message.data));
      });
    }
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) { over = true; close(); tell("lost", {}); }
    };
  }

  function close() {
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    window.clearTimeout(timer);
    if (over) return;
    if (document.hidden) timer = window.setTimeout(close, HIDDEN_FOR);
    else if (!source) open();
  });
  window.addEventListener("pagehide", close);
  open();
}

const followed = document.querySelector("[data-stream]");
if (followed && "EventSource" in window) follow(followed.dataset.stream, followed.dataset.streamAfter);
