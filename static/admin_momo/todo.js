// A box that checks all boxes of a name, and shows whether all are checked. A date that is filled in is what counts.
(() => {
  "use strict";
  document.addEventListener("change", ({ target }) => {
    if (target.name === "until_day") target.form.elements.until.value = "day";
    const all = document.querySelector("[data-check-all]");
    if (!all) return;
    const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${all.dataset.checkAll}"]`)];
    if (target === all) boxes.forEach((box) => { box.checked = all.checked; });
    else if (boxes.includes(target)) all.checked = boxes.every((box) => box.checked);
  });
})();
