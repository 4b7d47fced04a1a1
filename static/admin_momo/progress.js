// Keeps the progress bar of a running crawl up to date: asks every two seconds while the page is visible, and loads the
// page anew once when the run has ended.
(() => {
  "use strict";
  const EVERY = 2000;
  let timer = null;
  let asking = false;

  const bars = () => [...document.querySelectorAll("[data-crawl-run]")];

  const count = (number) => number.toLocaleString("zh-TW");

  const text = ({ percent, pages, pages_expected: expected, items }, workers) => {
    const known = expected ? `${count(pages)} / ${count(expected)}` : count(pages);
    const waiting = workers === 0 && pages === 0 ? "・背景程式沒有在執行" : "";
    return `${percent}%・${known} 頁・${count(items)} 件${waiting}`;
  };

  const show = (bar, progress, workers) => {
    bar.querySelector("progress").value = progress.percent;
    bar.querySelector("[data-progress-text]").textContent = text(progress, workers);
  };

  const reloadOnce = (run) => {
    const key = `momo-crawl-ended-${run}`;
    if (sessionStorage.getItem(key)) return;
    sessionStorage.setItem(key, "1");
    window.location.reload();
  };

  const ask = async () => {
    const found = bars();
    if (asking || document.hidden || !found.length) return;
    asking = true;
    try {
      const answer = await fetch(found[0].dataset.statusUrl, {
        headers: { Accept: "application/json" },
        credentials: "same-origin",
      });
      // Logged out, or refused: asking on would not help.
      if (answer.status === 401 || answer.status === 403) return stop();
      if (!answer.ok) return;
      const { running, workers_alive: workers } = (await answer.json()).data;
      for (const bar of found) {
        if (running && String(running.run_id) === bar.dataset.crawlRun) {
          show(bar, running.progress, workers);
        } else {
          stop();
          reloadOnce(bar.dataset.crawlRun);
          return;
        }
      }
    } catch {
      // Offline for a moment; the next round asks again.
    } finally {
      asking = false;
    }
  };

  const stop = () => {
    clearInterval(timer);
    timer = null;
  };

  const start = () => {
    if (timer !== null || document.hidden || !bars().length) return;
    timer = setInterval(ask, EVERY);
    ask();
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  document.addEventListener("DOMContentLoaded", start);
})();
