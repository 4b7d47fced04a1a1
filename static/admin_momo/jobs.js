// Keeps the bars of running imports up to date while the page is visible; an import that ends loads the page anew once.
(() => {
  "use strict";
  const EVERY = 1500;
  const STAGES = { queued: "排隊", reading: "讀取檔案", checking: "檢查資料", publishing: "寫入", done: "結束" };
  const ENDED = ["succeeded", "failed", "cancelled", "undone"];
  let timer = null;
  let asking = false;

  const bars = () => [...document.querySelectorAll("[data-job]")];

  const show = (bar, { progress, stage, processed_rows: done, total_rows: total }) => {
    bar.querySelector("progress").value = progress;
    const rows = total ? `・${done.toLocaleString("zh-TW")} / ${total.toLocaleString("zh-TW")} 列` : "";
    bar.querySelector("[data-progress-text]").textContent = `${progress}%・${STAGES[stage] || stage}${rows}`;
  };

  const ask = async () => {
    if (asking || document.hidden) return;
    asking = true;
    try {
      for (const bar of bars()) {
        const answer = await fetch(bar.dataset.statusUrl, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (answer.status === 401 || answer.status === 403) return stop();
        if (!answer.ok) continue;
        const job = (await answer.json()).data;
        show(bar, job);
        if (ENDED.includes(job.status)) {
          const key = `momo-job-ended-${job.id}`;
          if (sessionStorage.getItem(key)) continue;
          sessionStorage.setItem(key, "1");
          stop();
          window.location.reload();
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
