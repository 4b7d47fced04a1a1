// The form of a subscription: replaces the conditions when the event changes, and describes the quiet hours.
(() => {
  "use strict";
  const swap = async (event) => {
    const place = document.querySelector("[data-filters]");
    const address = new URL(window.location.href);
    address.searchParams.set("event", event.value);
    const asked = event.value;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-filters]");
      // Another event may have been chosen meanwhile.
      if (fresh && event.value === asked) place.replaceWith(document.adoptNode(fresh));
    } catch {
      const alert = document.createElement("p");
      alert.className = "mo-alert";
      alert.textContent = "條件沒有載入，請按「儲存並繼續編輯」。";
      place.replaceChildren(alert);
    } finally {
      place.removeAttribute("aria-busy");
    }
  };

  const quietText = (start, end) => {
    if (!start || !end || start === end) return "沒有勿擾時段，訊息隨時寄出。";
    const night = start > end ? "隔天 " : "";
    return `每天 ${start} 到${night || " "}${end}（台北時間）的訊息先留著，${night}${end} 才寄出。`;
  };

  document.addEventListener("DOMContentLoaded", () => {
    const event = document.querySelector("select[data-event]");
    if (event) event.addEventListener("change", () => swap(event));
    const [start, end] = document.querySelectorAll("input[data-quiet]");
    const text = document.querySelector("[data-quiet-text]");
    if (!start || !end || !text) return;
    let shown = "";
    const show = () => {
      const values = [start, end].map((input) => (/^\d{1,2}:\d{2}/.exec(input.value.trim()) || [""])[0].padStart(5, "0"));
      const next = quietText(...values.map((value) => (value === "00000" ? "" : value)));
      if (next !== shown) text.textContent = shown = next;
    };
    // A time chosen from the list beside the field fires a click, and no change event.
    for (const name of ["input", "change", "click"]) document.addEventListener(name, () => setTimeout(show));
    show();
  });
})();
