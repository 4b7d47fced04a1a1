// The charts of the start page, of products, sales, stockouts and AI, drawn by unfold's own copy of Chart.js from data in the page.
(() => {
  "use strict";
  const HOUR = 3600 * 1000;
  const DAY = 24 * HOUR;
  const TAIPEI = 8 * HOUR; // no summer time
  const KINDS = {
    new: "#3b82f6",
    increase: "--mo-up",
    decrease: "--mo-down",
    out_of_stock: "#f59e0b",
    back_in_stock: "#06b6d4",
    delisted: "#9ca3af",
    relisted: "#a855f7",
  };
  const charts = [];

  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (value) => (value.startsWith("--") ? variable(value) : value);
  const money = (value) => `$${Number(value).toLocaleString("zh-TW")}`;
  const at = (ms, options) => new Intl.DateTimeFormat("zh-TW", { timeZone: "Asia/Taipei", ...options }).format(ms);

  // Midnights in Taipei, at most eight of them; hours where the whole line is shorter than two days.
  const timeTicks = (axis) => {
    const span = axis.max - axis.min;
    const step = span < 2 * DAY ? Math.max(HOUR, Math.ceil(span / 6 / HOUR) * HOUR) : Math.max(1, Math.ceil(span / DAY / 8)) * DAY;
    const ticks = [];
    for (let ms = Math.ceil((axis.min + TAIPEI) / step) * step - TAIPEI; ms <= axis.max; ms += step) ticks.push({ value: ms });
    axis.ticks = ticks;
  };

  // Which points no line shows: a price that was seen once, or is the newest, stands between gaps.
  const isLone = (points, index) =>
    ![points[index - 1], points[index + 1]].some((near) => near && near.y !== null && near.x !== points[index].x);

  const price = ({ points, lowest, list_price: listPrice }) => {
    const xs = points.map((point) => point.x);
    const [begin, end] = [Math.min(...xs), Math.max(...xs)];
    // Room for the dots at both ends, and for a product that was seen once.
    const room = end > begin ? Math.max((end - begin) / 50, HOUR / 4) : 3 * HOUR;
    const [first, last] = [begin - room, end + room];
    const short = end - begin < 2 * DAY;
    const level = (label, value, tone) => ({
      label,
      data: [{ x: first, y: value }, { x: last, y: value }],
      tone,
      borderDash: [4, 4],
      borderWidth: 1,
      pointRadius: 0,
      pointHitRadius: 0,
    });
    const radius = points.map((point, index) => (index === points.length - 1 || isLone(points, index) ? 3.5 : 0));
    const datasets = [
      { label: "售價", data: points, tone: "--color-primary-600", stepped: "before", borderWidth: 2, pointRadius: radius, pointHitRadius: 12, spanGaps: false },
    ];
    if (lowest) datasets.push(level("30 天最低", lowest, "--mo-down"));
    if (listPrice) datasets.push(level("原價", listPrice, "#9ca3af"));
    return {
      type: "line",
      data: { datasets },
      options: {
        parsing: false,
        interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: {
          x: {
            type: "linear",
            min: first,
            max: last,
            afterBuildTicks: timeTicks,
            ticks: {
              callback: (ms) => at(ms, short ? { hour: "2-digit", minute: "2-digit", hour12: false } : { month: "numeric", day: "numeric" }),
              maxRotation: 0,
            },
          },
          y: { grace: "10%", ticks: { callback: (value) => (Number.isInteger(value) ? money(value) : null) } },
        },
        plugins: {
          tooltip: {
            filter: (item) => item.datasetIndex === 0,
            callbacks: {
              title: ([item]) => (item ? at(item.parsed.x, { dateStyle: "medium", timeStyle: "short", hour12: false }) : ""),
              label: (item) => money(item.parsed.y),
            },
          },
        },
      },
    };
  };

  const events = ({ labels, series }) => ({
    type: "bar",
    data: {
      labels,
      datasets: series.map(({ kind, label, data }) => ({ label, data, tone: KINDS[kind] || "#9ca3af", maxBarThickness: 36 })),
    },
    options: {
      interaction: { mode: "index", intersect: false },
      scales: { x: { stacked: true, ticks: { maxRotation: 0 } }, y: { stacked: true, ticks: { precision: 0 } } },
      plugins: { tooltip: { filter: (item) => item.parsed.y > 0 } },
    },
  });

  const sales = ({ dates, amount, gross_profit: profit }) => ({
    type: "bar",
    data: {
      labels: dates.map((day) => day.slice(5).replace("-", "/")),
      datasets: [
        { label: "業績", data: amount, tone: "--color-primary-500", maxBarThickness: 28, order: 2 },
        { type: "line", label: "毛利", data: profit, tone: "#0ea5e9", borderWidth: 2, pointRadius: 2, order: 1, spanGaps: true },
      ],
    },
    options: {
      interaction: { mode: "index", intersect: false },
      scales: { x: { ticks: { maxRotation: 0, autoSkipPadding: 12 } }, y: { beginAtZero: true, ticks: { callback: money } } },
      plugins: { tooltip: { callbacks: { label: (item) => `${item.dataset.label} ${money(Math.round(item.parsed.y))}` } } },
    },
  });

  // Horizontal bars, one for each name, stacked by series.
  const bars = ({ labels, series, dollars }) => ({
    type: "bar",
    data: { labels, datasets: series.map((one) => ({ ...one, maxBarThickness: 20 })) },
    options: {
      indexAxis: "y",
      interaction: { mode: "index", axis: "y", intersect: false },
      scales: {
        x: { stacked: true, beginAtZero: true, ticks: { maxRotation: 0, autoSkipPadding: 12, precision: 0, ...(dollars && { callback: money }) } },
        y: { stacked: true, ticks: { autoSkip: false } },
      },
      plugins: {
        tooltip: {
          filter: (item) => item.parsed.x > 0,
          callbacks: { label: (item) => `${item.dataset.label} ${dollars ? money(item.parsed.x) : item.parsed.x}` },
        },
      },
    },
  });

  // Bars of amounts of any size, stacked by series: upright by day, or lying, one for each name.
  const usage = ({ labels, series, across }) => {
    const [names, amounts] = across ? ["y", "x"] : ["x", "y"];
    const shown = (value) => Number(value).toLocaleString("zh-TW", { maximumFractionDigits: 4 });
    return {
      type: "bar",
      data: { labels, datasets: series.map((one) => ({ ...one, maxBarThickness: 28 })) },
      options: {
        indexAxis: names,
        interaction: { mode: "index", axis: names, intersect: false },
        scales: {
          [names]: { stacked: true, ticks: across ? { autoSkip: false } : { maxRotation: 0, autoSkipPadding: 12 } },
          [amounts]: { stacked: true, beginAtZero: true, ticks: { callback: shown, maxRotation: 0, autoSkipPadding: 12 } },
        },
        plugins: {
          tooltip: {
            filter: (item) => item.parsed[amounts] > 0,
            callbacks: { label: (item) => `${item.dataset.label} ${shown(item.parsed[amounts])}` },
          },
        },
      },
    };
  };

  const KIND_OF_CHART = { price, events, sales, bars, usage };

  const draw = (canvas) => {
    const make = KIND_OF_CHART[canvas.dataset.momoChart];
    const source = document.getElementById(canvas.dataset.source);
    if (!make || !source) return;
    const dark = document.documentElement.classList.contains("dark");
    const ink = variable(dark ? "--color-base-400" : "--color-base-500");
    const grid = variable(dark ? "--color-base-800" : "--color-base-200");
    const config = make(JSON.parse(source.textContent));
    for (const dataset of config.data.datasets) {
      dataset.borderColor = dataset.backgroundColor = colour(dataset.tone);
    }
    for (const scale of Object.values(config.options.scales)) {
      scale.grid = { color: grid };
      scale.border = { display: false };
      scale.ticks = { ...scale.ticks, color: ink };
    }
    config.options.maintainAspectRatio = false;
    config.options.animation = false;
    config.options.plugins.legend = { position: "bottom", labels: { boxHeight: 8, boxWidth: 8, color: ink, usePointStyle: true } };
    charts.push(new Chart(canvas, config));
  };

  // Colours are fixed when a chart is made, so a change of theme makes them anew.
  const drawAll = () => {
    charts.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-momo-chart]").forEach(draw);
  };

  window.addEventListener("load", () => {
    if (typeof Chart === "undefined") return;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    drawAll();
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
