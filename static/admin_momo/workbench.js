// The workbench: a copy is streamed as the model writes it, its warnings are marked in place, and it is checked again
// while it is edited. Each text keeps its place as a tab, so that a new generation takes nothing away.
(() => {
  "use strict";
  const PAUSE = 600; // milliseconds after the last key before a text is checked
  const { make, say, located, moved, draw, card, replaceIn, copyOf, sentence, call, readEvents, subject } = window.momoBench;
  const LEVELS = [["high", "高"], ["medium", "中"], ["low", "低"]];

  const start = (bench) => {
    const find = (name) => bench.querySelector(`[data-${name}]`);
    const [form, refusal, state, about, tabs, panel] = ["bench-form", "refusal", "state", "about", "tabs", "panel"].map(find);
    const [area, under, list, result, busy] = ["text", "under", "warnings", "found-number", "busy"].map(find);
    const [generate, stop, again, provider, domain] = ["generate", "stop", "again", "provider", "domain"].map(find);
    const [take, favorite, kept, original, note] = ["take", "favorite", "kept", "original", "note"].map(find);
    const texts = [];
    let shown = null;
    let chosen = null; // the warning at the caret
    let running = null;

    const isEditing = () => document.activeElement === area;

    // --- What is shown of a text

    const fail = (words) => {
      refusal.hidden = !words;
      say(refusal, words);
      if (words) refusal.scrollIntoView({ block: "nearest" });
    };
    const isUnsaved = ({ value, stored, copied }) => Boolean(value.trim()) && value !== stored && value !== copied;

    const summary = ({ value, warnings, checked, problem, written }) => {
      if (problem) return `沒有檢查：${problem}`;
      if (!value.trim()) return "還沒有文字。";
      if (written) return "寫完之後檢查。";
      if (checked === null) return "還沒有檢查。";
      if (!warnings.length) return "沒有發現問題。這不代表一定符合法規。";
      const levels = LEVELS.map(([level, name]) => [name, warnings.filter(({ severity }) => severity === level).length]);
      const parts = levels.filter(([, number]) => number).map(([name, number]) => `${name} ${number}`);
      return `發現 ${warnings.length} 個問題（${parts.join("、")}）。`;
    };
    const remark = ({ id, value, stored, copied, written, unfinished }) => {
      if (written || !value.trim()) return "";
      if (unfinished) return value === copied ? "沒有寫完，不在紀錄裡；已複製" : "沒有寫完，不在紀錄裡；需要的話請複製";
      if (!id) return value === copied ? "已複製" : "";
      if (value === stored) return "已留在紀錄裡";
      return value === copied ? "修改後的文字已複製" : "已修改，紀錄裡是原來的文案；修改後的請複製";
    };
    const drawMarks = () => draw(under, area.value, shown.warnings, chosen);
    const drawTabs = () => {
      tabs.hidden = texts.length < 2;
      tabs.replaceChildren(
        ...texts.map((text, number) => {
          const tab = make("button", "", { type: "button", id: `bench-tab-${number}`, textContent: text.title, tabIndex: text === shown ? 0 : -1 });
          tab.setAttribute("role", "tab");
          tab.setAttribute("aria-selected", String(text === shown));
          tab.setAttribute("aria-controls", panel.id);
          tab.addEventListener("click", () => {
            open(text);
            tabs.querySelector("[aria-selected=true]").focus();
          });
          return tab;
        }),
      );
      panel.toggleAttribute("role", false);
      if (tabs.hidden) return panel.removeAttribute("aria-labelledby");
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", `bench-tab-${texts.indexOf(shown)}`);
    };
    const drawState = () => {
      say(result, summary(shown));
      say(note, remark(shown));
      say(find("count"), `${[...area.value].length.toLocaleString("zh-TW")} 字`);
      busy.hidden = shown.written || Boolean(shown.problem) || !shown.value.trim() || shown.value === shown.checked;
      take.disabled = !area.value.trim() || shown.written;
      favorite.hidden = !shown.id;
      favorite.setAttribute("aria-pressed", String(shown.favorite));
      favorite.classList.toggle("mo-button--on", shown.favorite);
      kept.hidden = !shown.id || !bench.dataset.history;
      kept.href = `${bench.dataset.history}${shown.id}/change/`;
      original.hidden = !shown.original;
      say(find("original-text"), shown.original);
      say(about, shown.about);
    };
    const drawWarnings = () => {
      chosen = null;
      list.replaceChildren(...shown.warnings.map((warning) => card(warning, { go, replace })));
      drawMarks();
      drawState();
      atCaret();
    };
    const open = (text) => {
      shown = text;
      area.value = text.value;
      area.readOnly = text.written;
      panel.setAttribute("aria-busy", String(text.written));
      drawTabs();
      drawWarnings();
    };
    const add = () => {
      const text = {
        ...{ order: {}, key: "", title: `文案 ${texts.length + 1}`, value: "", warnings: [], checked: null },
        ...{ id: null, stored: null, copied: null, favorite: false, original: "", about: "", problem: "" },
        ...{ written: false, unfinished: false, asking: null, timer: null },
      };
      texts.push(text);
      return text;
    };

    // --- Warnings

    const atCaret = () => {
      if (!isEditing()) return; // on the way to a button of the warning
      const here = area.selectionStart;
      const found = shown.warnings.find(({ from, to }) => from <= here && here < to) || null;
      if (found === chosen) return;
      chosen = found;
      [...list.children].forEach((item, number) => item.classList.toggle("mo-warning--chosen", shown.warnings[number] === found));
      drawMarks();
    };
    const go = ({ from, to }) => {
      area.focus();
      area.setSelectionRange(from, to);
      atCaret();
      const mark = under.querySelector(".mo-place--chosen");
      if (mark) mark.scrollIntoView({ block: "center" });
    };
    const replace = ({ from, to }, words) => {
      if (!shown.written) replaceIn(area, from, to, words);
    };
    // The facts and the domain of the form count while it is about the same product; else those that the text was
    // written with. A text of the user's own is about what the form says.
    const refresh = (text) => {
      const key = bench.subject.key();
      if (!text.id && !text.unfinished) text.key = key;
      if (text.key === key) text.order = { ...bench.subject.order(), domain: domain.value };
    };
    const checkedWith = ({ order }) => {
      const { product_id: code, product_name: name, facts, domain: law } = order;
      const given = code ? { product_id: code, facts } : name ? { facts: { name, ...facts } } : {};
      return law ? { ...given, domain: law } : given;
    };
    const forget = (text) => {
      clearTimeout(text.timer);
      if (text.asking) text.asking.abort();
      text.asking = null;
    };
    const later = (text, pause = PAUSE) => {
      forget(text);
      text.timer = setTimeout(() => check(text), pause);
    };
    const check = async (text) => {
      forget(text);
      refresh(text);
      const { value } = text;
      text.problem = "";
      const mine = (text.asking = new AbortController());
      if (text === shown) drawState();
      try {
        if (!value.trim()) Object.assign(text, { warnings: [], checked: null });
        else {
          const body = { text: value, ...checkedWith(text) };
          const { data } = await (await call("/api/ai/check", { method: "POST", body, signal: mine.signal })).json();
          if (mine !== text.asking) return;
          Object.assign(text, { warnings: located(value, data.warnings), checked: value });
        }
      } catch (error) {
        if (mine !== text.asking) return;
        text.problem = error.message;
        if (error.wait) text.timer = setTimeout(() => check(text), 1000 * error.wait);
      }
      text.asking = null;
      if (text === shown) drawWarnings();
    };
    // An answer to a text that is no longer there is dropped.
    const edited = (event) => {
      const text = shown;
      forget(text);
      text.warnings = moved(text.warnings, text.value, area.value);
      text.value = area.value;
      if (!event.isComposing) later(text);
      drawWarnings();
    };

    // --- Generation

    const labels = {};
    const orderOf = () => {
      const about = bench.subject.order();
      if (!about) {
        fail("請選一個商品，或輸入品名");
        bench.subject.focus();
        return null;
      }
      const words = find("words").value.split(/[、,，;；\n]/).map((word) => word.trim()).filter(Boolean);
      const { keywords, keyword } = bench.dataset;
      const long = words.find((word) => [...word].length > Number(keyword));
      if (words.length > Number(keywords) || long) {
        fail(long ? `關鍵字「${long}」太長，最多 ${keyword} 個字` : `關鍵字最多 ${keywords} 個，現在有 ${words.length} 個`);
        find("words").focus();
        return null;
      }
      const order = { ...about, keywords: words, provider: provider.value, length: find("length").valueAsNumber, variants: find("variants").valueAsNumber };
      for (const [name, { value }] of [["style", find("style")], ["domain", domain]]) if (value) order[name] = value;
      return order;
    };
    const isWriting = (yes) => {
      generate.disabled = yes || !provider.value;
      stop.hidden = !yes;
      if (yes) stop.focus();
      else if (document.activeElement === document.body || document.activeElement === stop) generate.focus({ preventScroll: true });
    };
    const finish = (text, part, whole) => {
      const { content, warnings, converted } = part;
      const value = content.replace(/\r\n?/g, "\n"); // as a textarea has it
      const laws = [...domain.options].find((option) => option.value === whole.domain);
      const parts = [whole.model, `${whole.duration} 秒`, laws ? `以${laws.textContent}的法規檢查` : ""];
      Object.assign(text, {
        ...{ id: part.id, value, stored: value, checked: value, written: false, original: converted ? part.original : "" },
        ...{ warnings: value === content ? located(value, warnings) : [], about: parts.filter(Boolean).join("・") },
      });
      if (value !== content) check(text);
    };
    // A text that is edited meanwhile stays where it is.
    const done = (made, begun, whole) => {
      whole.variants.forEach((part, number) => finish(made(number), part, whole));
      const notes = [`完成 ${whole.variants.length} 個版本。`];
      if (whole.fallback_from) notes.push(`${labels[whole.fallback_from]} 失敗，改由 ${labels[whole.provider]} 產生。`);
      if (whole.variants.some(({ converted }) => converted)) notes.push("有簡體字已轉成繁體字，原文附在下面。");
      say(state, [...notes, ...whole.notices].join(""));
      open(isEditing() && !begun.includes(shown) ? shown : made(0));
    };
    const write = async (order) => {
      const mine = (running = new AbortController());
      const begun = [];
      const made = (number) => {
        while (begun.length <= number) {
          // The first text may take the place of an empty one.
          const empty = !shown.value.trim() && !shown.id && !shown.written ? shown : null;
          const text = empty || add();
          begun.push(Object.assign(text, { order, key: bench.subject.key(), written: true, problem: "" }));
          forget(text);
        }
        return begun[number];
      };
      let whole = null;
      try {
        const answer = await call("/api/ai/generate", { method: "POST", body: { ...order, stream: true }, signal: mine.signal });
        say(state, "等待模型回應；第一次可能要一兩分鐘…");
        await readEvents(answer, (kind, data) => {
          if (kind === "delta") {
            const isFirst = begun.length <= data.variant;
            const text = made(data.variant);
            text.value += data.text;
            if (isFirst && isEditing() && text !== shown) drawTabs();
            else if (isFirst) open(text);
            else if (text === shown) {
              area.value = text.value;
              drawMarks();
              drawState();
            }
            say(state, order.variants > 1 ? `正在寫第 ${data.variant + 1} 個版本，共 ${order.variants} 個…` : "正在寫…");
          } else if (kind === "error") throw new Error(sentence(data));
          else if (kind === "done") whole = data;
        });
        if (!whole) throw new Error("連線在文案寫完之前中斷");
        done(made, begun, whole);
      } catch (error) {
        const stopped = error.name === "AbortError";
        say(state, stopped ? "已停止。" : "");
        if (!stopped) {
          // Other kinds are the browser's, in English: the connection broke.
          fail(error.constructor === Error ? error.message : "連線在文案寫完之前中斷");
          loadProviders(); // one that failed may be away
        }
        mine.abort(); // also what came was not what was expected: nobody reads on
        for (const text of begun) {
          Object.assign(text, { written: false, unfinished: true, value: text.value.replace(/\r\n?/g, "\n") });
          check(text);
        }
        open(shown);
      } finally {
        running = null;
        isWriting(false);
      }
    };
    const submit = (event) => {
      event.preventDefault();
      if (running) return;
      fail("");
      const order = orderOf();
      if (!order) return;
      say(state, "送出中…");
      isWriting(true);
      find("result").scrollIntoView({ block: "nearest" });
      write(order);
    };

    // --- Providers

    const loadProviders = async () => {
      const before = provider.value;
      const away = find("away");
      try {
        const { data } = await (await call("/api/ai/providers")).json();
        for (const { provider: name, label } of data) labels[name] = label;
        const usable = data.filter(({ available }) => available);
        provider.replaceChildren(...usable.map(({ provider: name, label, model }) => make("option", "", { value: name, textContent: `${label}（${model}）` })));
        if (!usable.length) provider.append(make("option", "", { value: "", textContent: "沒有可用的供應者" }));
        if (usable.some(({ provider: name }) => name === before)) provider.value = before;
        away.replaceChildren(...data.filter(({ available }) => !available).map(({ label, reason }) => make("li", "mo-sub", { textContent: reason.startsWith(label) ? reason : `${label} 現在不能用：${reason}` })));
        again.hidden = usable.length === data.length;
      } catch (error) {
        provider.replaceChildren(make("option", "", { value: "", textContent: "無法讀取供應者" }));
        away.replaceChildren(make("li", "mo-sub", { textContent: error.message }));
        again.hidden = false;
      }
      away.hidden = !away.childElementCount;
      generate.disabled = Boolean(running) || !provider.value;
    };

    // --- What the user does

    const copy = async () => {
      const text = shown;
      if (!(await copyOf(area))) return say(state, "瀏覽器不允許複製，請選取文字後自行複製。");
      text.copied = text.value;
      const left = text.warnings.length ? `，還有 ${text.warnings.length} 個問題` : "";
      say(state, `已複製${text.checked === text.value ? left : "，還沒有檢查完"}。`);
      drawState();
    };
    const toggleFavorite = async () => {
      const text = shown;
      try {
        const { data } = await (await call(`/api/ai/history/${text.id}/favorite`, { method: "PUT" })).json();
        text.favorite = data.favorite;
        say(state, data.favorite ? "已加入最愛。" : "已移出最愛。");
      } catch (error) {
        fail(error.message);
      }
      drawState();
    };
    const describeStyle = () => {
      const [option] = find("style").selectedOptions;
      find("style-about").textContent = option ? option.dataset.description : "";
    };
    const changed = () => {
      if (!shown || !shown.value.trim() || shown.written) return;
      const before = JSON.stringify(shown.order);
      refresh(shown);
      if (JSON.stringify(shown.order) !== before) later(shown);
    };

    bench.subject = subject(bench, { changed, fail });
    open(add());
    describeStyle();
    loadProviders();
    form.addEventListener("submit", submit);
    stop.addEventListener("click", () => running && running.abort());
    again.addEventListener("click", loadProviders);
    take.addEventListener("click", copy);
    favorite.addEventListener("click", toggleFavorite);
    find("style").addEventListener("change", describeStyle);
    domain.addEventListener("change", changed);
    area.addEventListener("input", edited);
    area.addEventListener("compositionend", () => later(shown));
    document.addEventListener("selectionchange", atCaret);
    area.addEventListener("focus", atCaret);
    // The marks lie below the textarea, which takes the mouse.
    area.addEventListener("mousemove", ({ clientX, clientY }) => {
      const mark = document.elementsFromPoint(clientX, clientY).find((element) => element.matches(".mo-place"));
      area.title = mark ? mark.dataset.reason : "";
    });
    tabs.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      open(texts[(texts.indexOf(shown) + step + texts.length) % texts.length]);
      tabs.querySelector("[aria-selected=true]").focus();
    });
    window.addEventListener("beforeunload", (event) => {
      if (running || texts.some(isUnsaved)) event.preventDefault();
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    const bench = document.querySelector("[data-bench]");
    if (bench) start(bench);
  });
})();
