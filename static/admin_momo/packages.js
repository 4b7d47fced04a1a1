// What scripts of packages say to users, in our language, before they start: Select2's clear button and messages, and
// the name of SimpleBar's scroll areas.
(() => {
  "use strict";
  const SELECT2 = {
    errorLoading: () => "無法載入，請再試一次",
    inputTooLong: ({ input, maximum }) => `請刪掉 ${input.length - maximum} 個字`,
    inputTooShort: ({ input, minimum }) => `請再輸入 ${minimum - input.length} 個字`,
    loadingMore: () => "載入中…",
    maximumSelected: ({ maximum }) => `最多選 ${maximum} 項`,
    noResults: () => "沒有符合的項目",
    removeAllItems: () => "清除",
    removeItem: () => "移除",
    search: () => "搜尋",
    searching: () => "搜尋中…",
  };

  // Select2 puts a field of its own in the place of the one that the label names.
  const label = () => {
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      // Of one value its place, of several the field in which they are searched.
      const fields = select.parentElement.querySelectorAll(".select2-selection__rendered, .select2-search__field");
      const title = select.labels[0] || select.closest("div:has(> h3)")?.querySelector("h3");
      for (const field of fields) field.setAttribute("aria-label", title ? title.textContent.replace("*", "").trim() : "選擇");
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const jquery = window.django && window.django.jQuery;
    if (jquery && jquery.fn.select2) {
      jquery.fn.select2.defaults.set("language", SELECT2);
      jquery(label); // after the package's own, which was registered before
    }
    if (window.SimpleBar) window.SimpleBar.defaultOptions.ariaLabel = "可捲動的內容";
    // Regions of one page need different names.
    for (const [selector, name] of [["#nav-sidebar-apps", "選單"], [":has(> #result_list)", "清單"], ["#filter-form [data-simplebar]", "篩選條件"]]) {
      const area = document.querySelector(selector);
      if (area && "simplebar" in area.dataset) area.dataset.simplebarAriaLabel = name;
    }
  });
})();
