// Small things on admin pages: a picture that does not load gives way to a plain square, and a secret can be copied.
(() => {
  "use strict";
  const replace = (picture) => {
    const blank = document.createElement("span");
    blank.className = "mo-thumb mo-thumb--none material-symbols-outlined";
    blank.textContent = "image";
    picture.replaceWith(blank);
  };

  document.addEventListener("DOMContentLoaded", () => {
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
