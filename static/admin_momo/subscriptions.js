// The form of a subscription: another event brings its own conditions, and quiet hours are said in words.
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
      // Somebody may have chosen yet another one meanwhile.
      if (fresh && event.value === asked) place.replaceWith(document.adoptNode(fresh));
    } catch {
      const words = document.createElement("p");
      words.className = "mo-alert";
      words.textContent = "條件沒有載入，請按「儲存並繼續編輯」。";
      place.replaceChildren(words);
    } finally {
      place.removeAttribute("aria-busy");
    }
  };

  const inWords = (start, end) => {
    if (!start || !end || start === end) return "沒有勿擾時段，訊息隨時寄出。";
    const night = start > end ? "隔天 " : "";
    return `每天 ${start} 到${night || " "}${end}（台北時間）的訊息先留著，${night}${end} 才寄出。`;
  };

  document.addEventListener("DOMContentLoaded", () => {
    const event = document.querySelector("select[data-event]");
    if (event) event.addEventListener("change", () => swap(event));
    const [start, end] = document.querySelectorAll("input[data-quiet]");
    const words = document.querySelector("[data-quiet-words]");
    if (!start || !end || !words) return;
    let said = "";
    const say = () => {
      const values = [start, end].map((input) => (/^\d{1,2}:\d{2}/.exec(input.value.trim()) || [""])[0].padStart(5, "0"));
      const next = inWords(...values.map((value) => (value === "00000" ? "" : value)));
      if (next !== said) words.textContent = said = next;
    };
    // A time that is chosen from the list beside the field comes with a click somewhere, and without a change.
    for (const name of ["input", "change", "click"]) document.addEventListener(name, () => setTimeout(say));
    say();
  });
})();
