// Small things on admin pages: a picture that does not load gives way to a plain square, a secret can be copied, and each
// cell of a table knows its heading, so that on a phone rows stand as cards with labels. What unfold leaves to the mouse
// gets a name and answers to the keyboard.
(() => {
  "use strict";
  const replace = (picture) => {
    const blank = document.createElement("span");
    blank.className = "mo-thumb mo-thumb--none material-symbols-outlined";
    blank.textContent = "image";
    picture.replaceWith(blank);
  };

  // Tables that stand as rows of cards on a phone, unless their template says otherwise.
  const label = (table) => {
    const headings = [...table.querySelectorAll("thead th")].map((heading) => heading.textContent.trim());
    for (const row of table.tBodies[0] ? table.tBodies[0].rows : []) {
      [...row.cells].forEach((cell, place) => {
        if (!cell.dataset.label && headings[place]) cell.dataset.label = headings[place];
      });
    }
    table.classList.add("mo-table--rows");
  };

  // Unfold's icons are words of a font (`dock_to_right`), which screen readers would read, and some of its buttons are
  // elements that a keyboard does not reach.
  const ICON = "material-symbols-outlined";
  const NAMES = {
    close: "關閉",
    delete: "刪除",
    dock_to_right: "選單",
    more_horiz: "更多動作",
    more_vert: "更多動作",
    search: "搜尋",
    storefront: "總覽",
  };
  const PRESSED = "[x-on\\:click]:not(a[href], button, input, label, select, summary, textarea), label:has(> .hidden > input.delete)";
  const name = (element) => {
    const icon = element.classList.contains(ICON) ? element : element.querySelector(`.${ICON}`);
    const word = icon ? icon.textContent.trim() : "";
    if (NAMES[word] && element.textContent.trim() === word && !element.title) element.setAttribute("aria-label", NAMES[word]);
  };
  const reach = (element) => {
    if (!element.textContent.trim() || element.hasAttribute("tabindex")) return;
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      element.click();
    });
  };
  // A keyboard scrolls only what it can reach.
  const SCROLLED = ".mo-scroll, .mo-diff__lines, .mo-rows--short, .mo-plain, .mo-example, .mo-chat, .mo-faults";
  const describe = (root) => {
    // A second click on the button of a dialog sends nothing.
    for (const form of root.querySelectorAll("#dialog form")) form.setAttribute("hx-sync", "this:drop");
    for (const area of root.querySelectorAll(SCROLLED)) area.tabIndex = 0;
    root.querySelectorAll(PRESSED).forEach(reach);
    root.querySelectorAll("a, button, [role=button]").forEach(name);
    // Below the page's title there is no other heading before those of the filters.
    for (const heading of root.querySelectorAll("#changelist-filter h3")) {
      heading.setAttribute("role", "heading");
      heading.setAttribute("aria-level", "2");
    }
    for (const icon of root.querySelectorAll(`.${ICON}`)) if (!icon.hasAttribute("role")) icon.setAttribute("aria-hidden", "true");
  };

  document.addEventListener("DOMContentLoaded", () => {
    describe(document);
    document.body.addEventListener("htmx:afterSettle", ({ target }) => describe(target));
    // Previews of imports and templates arrive later.
    for (const place of document.querySelectorAll("[data-preview], [data-preview-html]")) {
      new MutationObserver(() => describe(place)).observe(place, { childList: true });
    }
    document.querySelectorAll(".mo-table:not(.mo-table--rows, .mo-table--cards, .mo-scroll--shown .mo-table)").forEach(label);
    for (const picture of document.querySelectorAll("img.mo-thumb")) {
      if (picture.complete && picture.naturalWidth === 0) replace(picture);
      else picture.addEventListener("error", () => replace(picture));
    }
    for (const button of document.querySelectorAll("[data-copy]")) {
      // The clipboard is only there on https and localhost.
      if (!navigator.clipboard) {
        button.hidden = true;
        continue;
      }
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
        button.textContent = "已複製";
      });
    }
  });
})();
