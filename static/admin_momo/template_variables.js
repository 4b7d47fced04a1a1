// The variables of a template as cards instead of JSON. The cards write into the textarea, which is what the form sends;
// without scripts the textarea is the editor. Many cards are closed, and show name, type and description.
(() => {
  "use strict";
  const OPEN = 3; // cards that stand open when the page loads
  const make = (tag, className, properties = {}) => Object.assign(document.createElement(tag), { className, ...properties });

  const fromText = (type, text) => {
    const given = text.trim();
    if (!given) return null;
    if (type === "integer" || type === "number") return Number.isFinite(Number(given)) ? Number(given) : given;
    if (type === "boolean") return given === "true" ? true : given === "false" ? false : given;
    if (type === "list") {
      try {
        return JSON.parse(given);
      } catch {
        return given; // the server reports the fault
      }
    }
    return text;
  };
  const toText = (type, value) => {
    if (value === null || value === undefined) return "";
    return type === "list" || typeof value === "object" ? JSON.stringify(value, null, type === "list" ? 1 : 0) : String(value);
  };

  const field = (label, control, className = "") => {
    const box = make("label", `mo-field ${className}`);
    box.append(make("span", "", { textContent: label }), control);
    return box;
  };

  const select = (options, value) => {
    const control = make("select", "mo-select");
    for (const [name, label] of options) control.append(make("option", "", { value: name, textContent: label }));
    control.value = value;
    return control;
  };

  // One variable, or one field of a list's items; `read` returns it as it is stored.
  const row = (types, entry, changed, { nested = false } = {}) => {
    const box = make(nested ? "div" : "details", nested ? "mo-variable mo-variable--nested" : "mo-variable");
    const name = make("input", "mo-input mo-code", { value: entry.name || "", spellcheck: false, autocomplete: "off" });
    const type = select(nested ? types.scalar : types.all, entry.type || "text");
    const required = make("input", "", { type: "checkbox", checked: Boolean(entry.required) });
    const description = make("input", "mo-input", { value: entry.description || "" });
    const example = make("div", "mo-variable__example");
    const fields = make("details", "mo-variable__fields");
    const remove = make("button", "mo-icon", { type: "button", title: "移除", ariaLabel: "移除" });
    remove.append(make("span", "material-symbols-outlined", { textContent: "delete" }));
    let shown = null; // the control that holds the example
    let rows = [];

    const showExample = (value) => {
      if (type.value === "list") {
        shown = make("textarea", "mo-input mo-code", { rows: 3, spellcheck: false, value: toText("list", value) });
      } else if (type.value === "boolean") {
        shown = select([["", "－"], ["true", "是"], ["false", "否"]], toText("boolean", value));
      } else {
        const hint = { date: "2026-11-25", datetime: "2026-11-25T14:05:00+08:00" }[type.value] || "";
        shown = make("input", "mo-input", { value: toText(type.value, value), placeholder: hint });
      }
      shown.addEventListener("input", changed);
      shown.addEventListener("change", changed);
      example.replaceChildren(field(type.value === "list" ? "範例（JSON；可以留白）" : "範例", shown));
    };

    const showFields = () => {
      fields.hidden = type.value !== "list";
      const title = make("summary", "", { textContent: `每一項的欄位（${rows.length}）` });
      const add = make("button", "mo-link mo-add", { type: "button", textContent: "＋ 新增欄位" });
      add.addEventListener("click", () => {
        addField({ type: "text" });
        changed();
      });
      fields.replaceChildren(
        title,
        make("p", "mo-sub", { textContent: "沒有欄位就是文字清單。" }),
        ...rows.map((one) => one.box),
        add,
      );
    };
    const addField = (entryOfField) => {
      const one = row(types, entryOfField, changed, { nested: true });
      one.remove.addEventListener("click", () => {
        rows = rows.filter((other) => other !== one);
        showFields();
        changed();
      });
      rows.push(one);
      showFields();
    };

    const head = make("div", "mo-variable__head");
    const needed = make("label", "mo-check");
    needed.append(required, make("span", "", { textContent: "必填" }));
    head.append(field("名稱", name, "mo-grow"), field("類型", type), needed, remove);
    const more = make("div", "mo-variable__more");
    more.append(example, field("說明", description));
    const summary = make("summary", "mo-variable__summary");
    const showSummary = () => {
      const label = make("b", "mo-code", { textContent: name.value.trim() || "（未命名）" });
      const kind = type.selectedOptions.length ? type.selectedOptions[0].textContent : type.value;
      summary.replaceChildren(label, make("span", "mo-sub", { textContent: `${kind}${required.checked ? "・必填" : ""}` }));
      summary.append(make("span", "mo-variable__about", { textContent: description.value.trim() }));
    };
    if (!nested) box.append(summary);
    box.append(head, more);
    showExample(entry.example);
    if (!nested) {
      box.append(fields);
      for (const one of Array.isArray(entry.fields) ? entry.fields : []) addField(one);
      showFields();
      showSummary();
      for (const event of ["input", "change"]) box.addEventListener(event, showSummary);
    }
    let before = type.value;
    type.addEventListener("change", () => {
      showExample(fromText(before, shown.value));
      before = type.value;
      if (!nested) showFields();
      changed();
    });
    for (const control of [name, required, description]) {
      control.addEventListener("input", changed);
      control.addEventListener("change", changed);
    }
    const read = () => ({
      name: name.value.trim(),
      type: type.value,
      required: required.checked,
      example: fromText(type.value, shown.value),
      description: description.value.trim(),
      fields: type.value === "list" ? rows.map((one) => one.read()) : [],
    });
    return { box, read, remove };
  };

  const parse = (text) => {
    try {
      const entries = JSON.parse(text || "[]");
      return Array.isArray(entries) && entries.every((entry) => entry && typeof entry === "object" && !Array.isArray(entry)) ? entries : null;
    } catch {
      return null;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const area = document.querySelector("textarea[data-variables]");
    const known = document.getElementById("momo-variable-types");
    if (!area || !known) return;
    const types = JSON.parse(known.textContent);
    const box = make("div", "mo-variables");
    const list = make("div", "mo-variables__list");
    const buttons = make("div", "mo-buttons");
    const add = make("button", "mo-button mo-button--quiet", { type: "button", textContent: "＋ 新增變數" });
    const turn = make("button", "mo-link", { type: "button" });
    const hint = make("p", "mo-sub");
    buttons.append(add, turn);
    box.append(list, hint, buttons);
    area.before(box);
    let rows = [];

    const write = () => {
      area.value = JSON.stringify(rows.map((one) => one.read()), null, 2);
      area.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const addRow = (entry) => {
      const one = row(types, entry, write);
      one.remove.addEventListener("click", () => {
        rows = rows.filter((other) => other !== one);
        one.box.remove();
        write();
      });
      rows.push(one);
      list.append(one.box);
      return one;
    };
    // Without a change in the table the text stays as it was written.
    const toRows = () => {
      const entries = parse(area.value);
      hint.textContent = entries === null ? "這不是變數的清單，請先改正 JSON。" : "";
      if (entries === null) return false;
      rows = [];
      list.replaceChildren();
      entries.forEach(addRow);
      for (const one of rows) one.box.open = rows.length <= OPEN;
      return true;
    };
    const show = (asRows) => {
      area.hidden = asRows;
      list.hidden = add.hidden = !asRows;
      turn.textContent = asRows ? "改以 JSON 編輯" : "回到表格";
    };
    add.addEventListener("click", () => {
      const one = addRow({ type: "text" });
      write();
      one.box.open = true;
      one.box.querySelector("input").focus();
    });
    turn.addEventListener("click", () => {
      if (!area.hidden) {
        if (toRows()) show(true);
      } else show(false);
    });
    show(toRows());
  });
})();
