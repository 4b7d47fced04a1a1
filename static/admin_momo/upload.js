// The upload page: drag and drop, a look at the file before anything is written, and a bar while it is sent.
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-upload]");
    let again = () => window.location.reload();

    // Remembers which header of a file stands for which column.
    const map = async (mapping) => {
      const body = new FormData();
      for (const { name, value } of mapping.querySelectorAll("input[type=hidden]")) body.append(name, value);
      for (const choice of mapping.querySelectorAll("[data-column]")) {
        if (choice.value) body.append(choice.dataset.column, choice.value);
      }
      const refusal = mapping.querySelector("[data-mapping-refusal]");
      const say = (words) => {
        refusal.textContent = words;
        refusal.hidden = false;
      };
      try {
        const answer = await fetch(mapping.dataset.mapping, { method: "POST", body, credentials: "same-origin" });
        if (answer.ok && !answer.redirected) return again();
        const type = answer.headers.get("Content-Type") || "";
        say(type.includes("json") ? (await answer.json()).error : "沒有記住，請重新登入後再試");
      } catch {
        say("連線中斷，請再試一次");
      }
    };
    document.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-mapping-apply]");
      if (button) map(button.closest("[data-mapping]"));
    });

    if (!form) return;
    const drop = form.querySelector("[data-drop]");
    const input = form.querySelector("input[type=file]");
    const text = form.querySelector("[data-drop-text]");
    const preview = document.querySelector("[data-preview]");
    const sending = form.querySelector("[data-sending]");
    const limit = Number(form.dataset.maxBytes);
    const asked = text.textContent;
    let turn = 0;

    const refuse = (words) => {
      const card = document.createElement("section");
      card.className = "mo-card";
      const line = document.createElement("p");
      line.className = "mo-alert";
      line.textContent = words;
      card.append(line);
      preview.replaceChildren(card);
    };

    // `kept`: the choices made in the preview of this file stay.
    const look = async (kept = false) => {
      const file = input.files[0];
      const body = new FormData(form); // before the preview is emptied, whose boxes belong to the form
      if (!kept) for (const name of ["sheet", "skip_hidden"]) body.delete(name);
      const mine = ++turn;
      text.textContent = file ? `${file.name}（${Math.ceil(file.size / 1024).toLocaleString("zh-TW")} KB）` : asked;
      preview.replaceChildren();
      if (!file) return;
      if (file.size > limit) return refuse(`檔案超過 ${Math.floor(limit / 1024 / 1024)} MB`);
      preview.innerHTML = '<section class="mo-card"><p class="mo-empty">讀取中…</p></section>';
      try {
        const answer = await fetch(form.dataset.previewUrl, { method: "POST", body, credentials: "same-origin" });
        const page = await answer.text();
        if (mine !== turn) return;
        // Made by our own server, every value of the file escaped. Where it leads elsewhere, the session is over.
        if (answer.redirected) refuse("登入已失效，請重新登入後再試");
        else if (answer.ok) preview.innerHTML = page;
        else refuse("無法預覽這份檔案，請稍後再試");
      } catch {
        if (mine === turn) refuse("連線中斷，請再試一次");
      }
    };

    again = () => look(true);

    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("mo-drop--over");
      });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("mo-drop--over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      const { files } = event.dataTransfer;
      if (!files.length) return;
      if (files.length > 1) {
        // Not one of them, and not the one before either, which would be imported in their place.
        input.value = "";
        turn++;
        text.textContent = asked;
        return refuse("一次只能匯入一個檔案；請分次拖入");
      }
      const chosen = new DataTransfer();
      chosen.items.add(files[0]);
      input.files = chosen.files;
      look();
    });
    // Caught on the way down: unfold's own listener on the input looks for the text field of its own widget.
    drop.addEventListener(
      "change",
      (event) => {
        event.stopPropagation();
        look();
      },
      true,
    );
    for (const name of ["job_type", "on_error"]) {
      form.querySelector(`[name=${name}]`).addEventListener("change", () => look(true));
    }
    preview.addEventListener("change", ({ target }) => {
      if (target.matches("[data-again]")) look(true);
    });

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = form.querySelector("button[type=submit]");
      const bar = sending.querySelector("progress");
      const words = sending.querySelector("[data-sending-text]");
      const request = new XMLHttpRequest(); // fetch reports no progress of what it sends
      button.disabled = true;
      sending.hidden = false;
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        bar.value = total ? (100 * loaded) / total : 0;
        words.textContent = `上傳中 ${Math.round(bar.value)}%`;
      });
      const stop = (message) => {
        button.disabled = false;
        sending.hidden = true;
        refuse(message);
      };
      request.addEventListener("load", () => {
        let body = {};
        try {
          body = JSON.parse(request.responseText);
        } catch {
          // An error page: reported below.
        }
        if (body.url) window.location.assign(body.url);
        else stop(body.error || "匯入沒有開始，請稍後再試");
      });
      request.addEventListener("error", () => stop("連線中斷，匯入沒有開始"));
      request.open("POST", form.action || window.location.href);
      request.setRequestHeader("X-Requested-With", "fetch");
      request.send(new FormData(form));
    });
  });
})();
