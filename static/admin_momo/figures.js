// Tables of figures: 複製 puts the table on the clipboard, tab separated, with numbers that a spreadsheet takes as such.
(() => {
  "use strict";
  const SHOWN = 2000; // milliseconds
  const text = (cell) => (cell.dataset.value ?? cell.textContent).trim();
  const lines = (table) => [...table.rows].map((row) => [...row.cells].map(text).join("\t")).join("\n");

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-figure-copy]")) {
      // The clipboard is only there on https and localhost.
      if (!navigator.clipboard) {
        button.hidden = true;
        continue;
      }
      const label = button.textContent;
      button.addEventListener("click", async () => {
        const table = document.querySelector(`#${CSS.escape(button.dataset.figureCopy)} table`);
        try {
          await navigator.clipboard.writeText(lines(table));
          button.textContent = "已複製";
        } catch {
          button.textContent = "瀏覽器不允許複製";
        }
        setTimeout(() => {
          button.textContent = label;
        }, SHOWN);
      });
    }
  });
})();
