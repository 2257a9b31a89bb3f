// Measures a page from inside: its frames, and tasks that held it up. Runs before the page's own
// scripts. `meter.begin()` opens a span, `meter.end()` returns what was seen in it.
"use strict";

window.meter = (() => {
  const tasks = []; // those of 50 ms and more: the browser tells no others
  const seen = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  seen.observe({ type: "longtask", buffered: true });
  let frames = [];
  let since = 0;
  let counting = false;

  function frame(now) {
    frames.push(now);
    if (counting) requestAnimationFrame(frame);
  }

  return {
    begin() {
      since = performance.now();
      frames = [];
      counting = true;
      requestAnimationFrame(frame);
    },
    end() {
      counting = false;
      tasks.push(...seen.takeRecords());
      const now = performance.now();
      const inside = tasks.filter((task) => task.startTime + task.duration > since);
      const whole = [];
      for (let from = since; from + 1000 <= now; from += 1000) {
        whole.push(frames.filter((at) => at >= from && at < from + 1000).length);
      }
      if (!whole.length) whole.push((1000 * frames.length) / (now - since)); // it took no second
      return {
        longest_task_ms: Math.max(0, ...inside.map((task) => task.duration)),
        frames_in_each_second: whole,
      };
    },
    // Milliseconds from the begin of the navigation until `ready` holds and has been painted.
    when(ready) {
      return new Promise((resolve) => {
        const look = () => {
          if (!ready()) return requestAnimationFrame(look);
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
        };
        look();
      });
    },
  };
})();
