// Of the workbench: which product a text is about, found by words or goods code or typed, and what is true of it.
(() => {
  "use strict";
  const PAUSE = 250; // milliseconds after the last key before products are searched
  const SHOWN = 8;
  const { make, say, call } = window.momoBench;

  // A list of the keyboard as the ARIA authoring practices describe it; what is typed stays a name of its own.
  const finder = (input, list, hint, pick) => {
    const explained = hint.textContent;
    let found = [];
    let active = -1;
    let asked = null;
    let timer = null;

    const mark = (place) => {
      active = place;
      [...list.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === place)));
      if (place < 0) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", list.children[place].id);
      list.children[place].scrollIntoView({ block: "nearest" });
    };
    const open = (yes) => {
      list.hidden = !yes;
      input.setAttribute("aria-expanded", String(yes));
      mark(-1);
    };
    const stop = () => {
      clearTimeout(timer);
      if (asked) asked.abort();
      open(false);
    };
    const choose = (product) => {
      stop();
      pick(product.product_id);
    };
    const show = (products, sought) => {
      found = products;
      list.replaceChildren(
        ...products.map((product, number) => {
          const state = product.status === "delisted" ? "・已下架" : "";
          const about = [product.product_id, product.brand, `NT$${product.price.toLocaleString("zh-TW")}`].filter(Boolean).join("・");
          const option = make("li", "mo-find__option", { id: `bench-found-${number}` }, product.name, make("span", "mo-sub", { textContent: about + state }));
          option.setAttribute("role", "option");
          option.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
          option.addEventListener("click", () => choose(product));
          return option;
        }),
      );
      open(products.length > 0);
      // A whole goods code means that product.
      mark(products.findIndex(({ product_id: code }) => code === sought));
      say(hint, products.length ? `找到 ${products.length} 個商品，以上下鍵選擇。` : "沒有這個商品，會以輸入的名稱寫文案。");
    };
    const ask = async () => {
      const sought = input.value.trim();
      if (sought.length < 2) {
        open(false);
        return say(hint, explained);
      }
      const mine = (asked = new AbortController());
      try {
        const query = new URLSearchParams({ q: sought.slice(0, 100), per_page: SHOWN });
        const { items } = await (await call(`/api/products?${query}`, { signal: mine.signal })).json();
        if (mine === asked && document.activeElement === input) show(items, sought);
      } catch (error) {
        if (error.name !== "AbortError") say(hint, `無法搜尋商品：${error.message}`);
      }
    };

    input.addEventListener("input", (event) => {
      stop();
      if (!event.isComposing) timer = setTimeout(ask, PAUSE);
    });
    input.addEventListener("compositionend", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    input.addEventListener("blur", stop);
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape" && !list.hidden) open(false);
      else if (event.key === "Enter" && active >= 0) choose(found[active]);
      else if (["ArrowDown", "ArrowUp"].includes(event.key) && found.length && !list.hidden) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((active + step + found.length + (active < 0 && step < 0 ? 1 : 0)) % found.length);
      } else return;
      event.preventDefault();
    });
  };

  const asText = (value, joint) => {
    if (value === null || value === undefined) return "";
    if (Array.isArray(value)) return value.map((one) => asText(one, joint)).filter(Boolean).join(joint);
    if (typeof value !== "object") return String(value);
    return value.starts || value.ends ? `${value.text} ${value.starts || ""}～${value.ends || ""}` : String(value.text || "");
  };
  const PERIOD = /^(.+?)\s+(\d{4}-\d{2}-\d{2})?\s*[～~]\s*(\d{4}-\d{2}-\d{2})?$/;
  const promotion = (line) => {
    const [, text, starts = "", ends = ""] = PERIOD.exec(line) || [];
    return starts || ends ? { text, starts, ends } : line;
  };
  const asFact = (field) => {
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const entries = field.dataset.fact === "promotion" ? lines.map(promotion) : lines;
    return entries.length > 1 ? entries : entries[0] || "";
  };

  const thumbnail = (url) => {
    const blank = make("span", "mo-thumb mo-thumb--none material-symbols-outlined", { textContent: "image", ariaHidden: "true" });
    if (!url) return blank;
    const picture = make("img", "mo-thumb", { src: url, alt: "", referrerPolicy: "no-referrer" });
    picture.addEventListener("error", () => picture.replaceWith(blank));
    return picture;
  };

  // `order()` is what the API takes as the subject, null without any; `changed` is called after each change of it.
  const subject = (bench, { changed, fail }) => {
    const find = (name) => bench.querySelector(`[data-${name}]`);
    const [input, list, picked, number] = ["name", "found", "picked", "facts-number"].map(find);
    const fields = Object.fromEntries([...bench.querySelectorAll("[data-fact]")].map((field) => [field.dataset.fact, field]));
    const automatic = find("domain").options[0];
    const guessed = automatic.textContent;
    let product = null;
    let known = {}; // of each field, as the catalogue and the fact sheet filled it

    const count = () => {
      const filled = Object.values(fields).filter((field) => field.value.trim()).length;
      number.textContent = filled ? `${filled} 項` : "";
    };
    const fill = (facts) => {
      for (const [key, field] of Object.entries(fields)) {
        field.value = asText(facts[key], field.rows ? "\n" : "、");
        known[key] = field.value;
      }
      count();
    };
    // What follows the catalogue is left to it: a price may change while the page is open.
    const facts = () => {
      const differs = (key) => fields[key].value.trim() !== (known[key] || "").trim();
      return Object.fromEntries(Object.keys(fields).filter(differs).map((key) => [key, asFact(fields[key])]));
    };
    const show = (found) => {
      product = found;
      input.closest("[data-find]").hidden = Boolean(found);
      picked.hidden = !found;
      automatic.textContent = found ? `${guessed}（${found.domain}）` : guessed;
      fill(found ? found.facts : {});
      if (found) {
        const [picture, name, about] = ["picked-picture", "picked-name", "picked-about"].map(find);
        picture.replaceChildren(thumbnail(found.image_url));
        Object.assign(name, { textContent: found.name, href: found.url });
        const price = found.facts.price ? `・NT$${Number(found.facts.price).toLocaleString("zh-TW")}` : "";
        about.textContent = `品號 ${found.product_id}${price}`;
      }
      changed();
    };
    const pick = async (code) => {
      try {
        const answer = await call(`${bench.dataset.productUrl}?${new URLSearchParams({ product_id: code })}`);
        const focused = document.activeElement === input;
        show(await answer.json());
        fail("");
        if (focused) find("unpick").focus();
      } catch (error) {
        fail(error.message);
      }
    };

    finder(input, list, document.getElementById("bench-name-hint"), pick);
    find("unpick").addEventListener("click", () => {
      input.value = "";
      show(null);
      input.focus();
    });
    for (const field of Object.values(fields)) {
      field.addEventListener("input", () => {
        count();
        changed();
      });
    }
    input.addEventListener("input", changed);
    const asked = new URLSearchParams(window.location.search).get("product");
    if (asked) pick(asked);
    count();

    return {
      order: () => {
        if (product) return { product_id: product.product_id, facts: facts() };
        const name = input.value.trim();
        return name ? { product_name: name, facts: facts() } : null;
      },
      key: () => (product ? product.product_id : input.value.trim()),
      focus: () => (product ? find("unpick") : input).focus(),
    };
  };

  window.momoBench.subject = subject;
})();
