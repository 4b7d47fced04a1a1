// The editor of a template: line numbers, and beside the form a preview of each channel, made from the form as it
// stands. The server renders and escapes; nothing is stored until the form is saved.
(() => {
  "use strict";
  const PAUSE = 400; // milliseconds after the last key before a preview is requested
  const LINE = /^第 (\d+) 行/;
  const FIELDS = { title: "名稱", code: "代碼", format: "格式", subject: "主旨", body: "內文", variables: "變數", values: "變數的值" };

  // Lines are not wrapped, so that their numbers are those in the messages of the server.
  const number = (area) => {
    const box = document.createElement("div");
    box.className = "mo-lines";
    const numbers = document.createElement("div");
    numbers.className = "mo-lines__numbers";
    numbers.setAttribute("aria-hidden", "true");
    area.before(box);
    box.append(numbers, area);
    let wrong = new Set();
    const count = () => {
      const lines = area.value.split("\n").length;
      while (numbers.childElementCount > lines) numbers.lastElementChild.remove();
      while (numbers.childElementCount < lines) {
        const line = document.createElement("span");
        line.textContent = numbers.childElementCount + 1;
        numbers.append(line);
      }
      [...numbers.children].forEach((line, place) => line.classList.toggle("mo-lines__wrong", wrong.has(place + 1)));
    };
    const follow = () => {
      numbers.scrollTop = area.scrollTop;
    };
    area.addEventListener("input", count);
    area.addEventListener("scroll", follow);
    count();
    return (lines) => {
      wrong = new Set(lines);
      count();
    };
  };

  const goTo = (area, line) => {
    const before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = area.value.indexOf("\n", before);
    area.focus();
    area.setSelectionRange(before, end < 0 ? area.value.length : end);
    const height = parseFloat(getComputedStyle(area).lineHeight) || 20;
    area.scrollTop = Math.max(0, (line - 4) * height);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const editor = document.querySelector("[data-editor]");
    if (!editor) return;
    const form = document.getElementById(editor.dataset.form);
    const find = (name) => editor.querySelector(`[data-preview-${name}]`);
    const [state, source, own, values, faults, tabs, shown] = ["state", "source", "own", "values", "faults", "tabs", "html"].map(find);
    const body = form.querySelector("textarea[data-lines]");
    const mark = body ? number(body) : () => {};
    let timer = null;
    let asked = null;
    editor.hidden = false;

    // On narrow screens the preview is far below, so faults of the body are shown under the body too.
    const near = document.createElement("ul");
    near.className = "mo-faults mo-faults--near";
    near.hidden = true;
    if (body) body.parentElement.after(near);

    const showErrors = (errors) => {
      const entries = Object.entries(errors).flatMap(([field, texts]) => texts.map((text) => [field, text]));
      mark(entries.filter(([field]) => field === "body").map(([, text]) => Number((LINE.exec(text) || [])[1])));
      list(faults, entries);
      list(near, entries.filter(([field]) => field === "body"));
    };
    const list = (place, entries) => {
      place.hidden = !entries.length;
      place.replaceChildren(
        ...entries.map(([field, text]) => {
          const item = document.createElement("li");
          const line = field === "body" && body ? LINE.exec(text) : null;
          const label = document.createElement(line ? "button" : "span");
          label.textContent = `${FIELDS[field] || field}：${text}`;
          if (line) {
            label.type = "button";
            label.addEventListener("click", () => goTo(body, Number(line[1])));
          }
          item.append(label);
          return item;
        }),
      );
    };

    const ask = async () => {
      if (asked) asked.abort();
      asked = new AbortController();
      const mine = asked;
      const data = new FormData(form);
      data.set("preview_source", source.value);
      data.set("preview_values", values.value);
      state.textContent = "更新中…";
      try {
        const answer = await fetch(editor.dataset.previewUrl, { method: "POST", body: data, credentials: "same-origin", signal: mine.signal });
        if (!answer.ok) throw new Error(String(answer.status));
        const { errors, html } = await answer.json();
        if (mine !== asked) return;
        showErrors(errors);
        // HTML of our own server, in which every value is escaped or sanitised.
        if (html) shown.innerHTML = html;
        else if (shown.querySelector(".mo-empty")) shown.firstElementChild.textContent = "改好之後就看得到";
        shown.classList.toggle("mo-editor__old", !html);
        state.textContent = html ? "" : "有錯，還是先前的樣子";
      } catch (error) {
        if (error.name !== "AbortError" && mine === asked) state.textContent = "無法預覽，請確認連線與登入";
      }
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    };

    form.addEventListener("input", later);
    form.addEventListener("change", later);
    values.addEventListener("input", later);
    source.addEventListener("change", () => {
      own.hidden = source.value !== "own";
      ask();
    });
    tabs.addEventListener("click", ({ target }) => {
      const chosen = target.closest("[data-tab]");
      if (!chosen) return;
      shown.dataset.shown = chosen.dataset.tab;
      for (const tab of tabs.children) tab.setAttribute("aria-selected", String(tab === chosen));
    });
    // Firefox restores the choice that was made before a reload.
    own.hidden = source.value !== "own";
    // The channel that the template is written for comes first.
    const format = form.querySelector("[name=format]");
    const first = { email_html: "mail", email_text: "text", plain: "text" }[format ? format.value : ""];
    if (first) tabs.querySelector(`[data-tab=${first}]`).click();
    // An empty new template shows no errors.
    if (!body || body.value.trim()) ask();
    else shown.firstElementChild.textContent = "寫了內文，這裡就看得到";
  });
})();
