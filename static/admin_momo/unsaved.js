// Changes that are not saved are asked about before they are lost. Unfold asks for forms whose fields fire `input`: what
// widgets set by script fires none, and rows that are edited in a list have no question at all.
(() => {
  "use strict";
  const typed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

  // Django's calendar, clock and their links, which keep their clicks to themselves and set the value during them.
  const DATES = ".calendarbox, .clockbox, .datetimeshortcuts";
  const check = () => {
    for (const field of document.querySelectorAll(".vDateField, .vTimeField")) {
      if (field.value !== field.defaultValue) typed(field);
    }
  };
  document.addEventListener("click", ({ target }) => { if (target.closest(DATES)) setTimeout(check); }, true);

  document.addEventListener("DOMContentLoaded", () => {
    const jquery = window.django && window.django.jQuery;
    if (jquery) jquery(document).on("select2:select select2:unselect select2:clear", ({ target }) => typed(target));

    const list = document.querySelector("#changelist-form");
    if (!list) return;
    let changed = false;
    list.addEventListener("input", ({ target }) => { changed ||= /^form-\d+-/.test(target.name); });
    list.addEventListener("submit", () => { changed = false; });
    window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  });
})();
