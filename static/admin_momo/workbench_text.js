// Of the workbench: where the warnings of a text stand, what an edit does to them, how they are shown, and the requests.
(() => {
  "use strict";
  const RANK = ["low", "medium", "high"];
  const SEVERITIES = { high: "嚴重程度高", medium: "嚴重程度中", low: "嚴重程度低" };
  const TONES = { high: "bad", medium: "warn", low: "info" };
  const FIELDS = {
    product_name: "品名",
    product_id: "品號",
    style: "風格",
    keywords: "關鍵字",
    provider: "供應者",
    facts: "商品事實",
    domain: "法規類別",
    length: "大約字數",
    variants: "版本數",
    text: "文案",
  };

  const make = (tag, name = "", values = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), values);
    if (name) element.className = name;
    element.append(...children);
    return element;
  };

  // A screen reader reads a status again whenever it is written, so equal words are not.
  const say = (element, words) => {
    if (element.textContent !== words) element.textContent = words;
  };

  // Offsets of the API count code points, those of a page UTF-16 units: an emoji is one of the former and two of the
  // latter.
  const located = (text, warnings) => {
    const units = [0];
    for (const point of text) units.push(units[units.length - 1] + point.length);
    return warnings
      .filter(({ start, end }) => start < end && end < units.length)
      .map((warning) => ({ ...warning, from: units[warning.start], to: units[warning.end] }));
  };

  // Until the next answer, warnings beside an edit move with their words; those that the edit touches are gone.
  const moved = (warnings, before, after) => {
    const shorter = Math.min(before.length, after.length);
    let start = 0;
    while (start < shorter && before[start] === after[start]) start++;
    let same = 0;
    while (same < shorter - start && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
    const end = before.length - same;
    const by = after.length - before.length;
    return warnings.flatMap((warning) => {
      if (warning.to <= start) return [warning];
      return warning.from >= end ? [{ ...warning, from: warning.from + by, to: warning.to + by }] : [];
    });
  };

  // The text again, below the textarea and wrapped like it, with a mark at each warning. Places may lie in each other.
  const draw = (under, text, warnings, chosen) => {
    const cuts = [...new Set([0, text.length, ...warnings.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
    const parts = cuts.slice(0, -1).map((from, place) => {
      const piece = text.slice(from, cuts[place + 1]);
      const here = warnings.filter((warning) => warning.from <= from && from < warning.to);
      if (!here.length) return piece;
      const worst = RANK[Math.max(...here.map(({ severity }) => RANK.indexOf(severity)))];
      const mark = make("mark", `mo-place mo-place--${worst}`, { textContent: piece });
      mark.classList.toggle("mo-place--chosen", here.includes(chosen));
      mark.dataset.reason = here.map(({ reason }) => reason).join("\n");
      return mark;
    });
    // A newline at the end opens no line of its own unless something follows.
    under.replaceChildren(...parts, "\n");
  };

  // Words that can stand in the place of a warning: the right fact, or each of those in 「改寫為甲、乙等用途」. Other
  // suggestions are advice.
  const replacements = ({ check, suggestion }) => {
    if (check === "facts") return suggestion ? [suggestion] : [];
    const named = /^改寫為([^，。；：]+)$/.exec(suggestion || "");
    return named ? named[1].replace(/等[^、]*$/, "").split("、").filter(Boolean) : [];
  };

  const card = (warning, { go, replace }) => {
    const place = make("button", "mo-link mo-warning__place", { type: "button", textContent: `「${warning.text}」` });
    place.setAttribute("aria-label", `到文中的「${warning.text}」`);
    place.addEventListener("click", () => go(warning));
    const kind = warning.check === "facts" ? "事實" : `法規・${warning.kind}`;
    const item = make(
      "li",
      "mo-warning",
      {},
      make(
        "p",
        "mo-warning__head",
        {},
        make("span", `mo-badge mo-badge--${TONES[warning.severity]}`, { textContent: SEVERITIES[warning.severity] }),
        make("span", "mo-badge mo-badge--quiet", { textContent: kind }),
        place,
      ),
      make("p", "", { textContent: warning.reason }),
    );
    if (warning.law) item.append(make("p", "mo-sub", { textContent: `依據：${warning.law}` }));
    const words = replacements(warning);
    if (warning.suggestion && warning.check !== "facts") item.append(make("p", "mo-sub", { textContent: `建議：${warning.suggestion}` }));
    if (words.length) {
      const buttons = words.map((word) => {
        const button = make("button", "mo-button mo-button--quiet", { type: "button", textContent: `改成「${word}」` });
        button.setAttribute("aria-label", `把「${warning.text}」改成「${word}」`);
        button.addEventListener("click", () => replace(warning, word));
        return button;
      });
      item.append(make("div", "mo-buttons", {}, ...buttons));
    }
    return item;
  };

  // Keeps the undo of the browser, which `setRangeText` would lose.
  const replaceIn = (area, from, to, words) => {
    area.focus();
    area.setSelectionRange(from, to);
    if (document.execCommand("insertText", false, words)) return;
    area.setRangeText(words, from, to, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const copyOf = async (area) => {
    try {
      await navigator.clipboard.writeText(area.value);
      return true;
    } catch {
      // The clipboard is only there on https and localhost.
      area.focus();
      area.select();
      return document.execCommand("copy");
    }
  };

  const sentence = ({ error, fields }) => {
    const texts = Object.entries(fields || {}).map(([name, found]) => {
      const label = FIELDS[name.split(".")[0]];
      return label ? `${label}：${found.join("、")}` : found.join("、");
    });
    return texts.length ? texts.join("；") : error;
  };

  const failure = async (answer) => {
    if (answer.redirected || answer.status === 401) return "登入已失效。請在另一個分頁登入後再試；這裡的文字還在。";
    try {
      return sentence(await answer.json());
    } catch {
      return `伺服器沒有正常回應（${answer.status}），請稍後再試`;
    }
  };

  // The answer of a request that succeeded; everything else is an Error with a sentence, and `wait` in seconds.
  const call = async (url, { method = "GET", body, signal } = {}) => {
    const headers = { Accept: "application/json, text/event-stream" };
    if (body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin", signal });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Error("連線中斷，請確認網路後再試");
    }
    if (answer.ok && !answer.redirected) return answer;
    throw Object.assign(new Error(await failure(answer)), { wait: Number(answer.headers.get("Retry-After")) || 0 });
  };

  // Server-sent events of the answer to a POST, which EventSource cannot send. A line ends with "\n" alone: texts may
  // hold other characters that end lines elsewhere.
  const readEvents = async (answer, take) => {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const value = (lines, name) => (lines.find((line) => line.startsWith(`${name}: `)) || "").slice(name.length + 2);
    let rest = "";
    for (;;) {
      const { value: piece, done } = await reader.read();
      if (done) return;
      const blocks = (rest + piece).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        const kind = value(lines, "event");
        if (kind) take(kind, JSON.parse(value(lines, "data")));
      }
    }
  };

  window.momoBench = { make, say, located, moved, draw, card, replaceIn, copyOf, sentence, call, readEvents };
})();
