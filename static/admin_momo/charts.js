// The charts of the start page, of products, sales, stockouts, AI and tables of figures, drawn by unfold's own copy of Chart.js from data in the page.
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
  const money = (value) => `${value < 0 ? "-" : ""}$${Math.abs(value).toLocaleString("zh-TW")}`;
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

  // `units` ({x, y}, null for an unknown day) stand as bars in a strip below the line, on the same axis of time.
  const price = ({ points, lowest, list_price: listPrice, units = [] }) => {
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
      yAxisID: "y",
    });
    const radius = points.map((point, index) => (index === points.length - 1 || isLone(points, index) ? 3.5 : 0));
    const datasets = [
      { label: "售價", data: points, tone: "--color-primary-600", stepped: "before", borderWidth: 2, pointRadius: radius, pointHitRadius: 12, spanGaps: false, yAxisID: "y" },
    ];
    if (lowest) datasets.push(level("30 天最低", lowest, "--mo-down"));
    if (listPrice) datasets.push(level("原價", listPrice, "#9ca3af"));
    const strip = {};
    if (units.length) {
      datasets.push({ type: "bar", label: "銷量", data: units, tone: "#0ea5e9", yAxisID: "units", maxBarThickness: 10, minBarLength: 0 });
      strip.units = { axis: "y", position: "left", stack: "price", stackWeight: 1, offset: true, beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 4 } };
    }
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
          ...strip,
          y: { stack: "price", stackWeight: 2, offset: units.length > 0, grace: "10%", ticks: { callback: (value) => (Number.isInteger(value) ? money(value) : null) } },
        },
        plugins: {
          tooltip: {
            filter: (item) => item.datasetIndex === 0 || item.dataset.yAxisID === "units",
            callbacks: {
              title: ([item]) => {
                if (!item) return "";
                return at(item.parsed.x, item.dataset.yAxisID === "units" ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short", hour12: false });
              },
              label: (item) => (item.dataset.yAxisID === "units" ? `銷量 ${item.parsed.y.toLocaleString("zh-TW")}` : money(item.parsed.y)),
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

  // Lines and bars over labels; days are shown as 11/30. `bands` ({from, to, label}) shade labels and `marks` ({at, text})
  // point at one. `unit` is money, percent or number. `across` lays bars down, one for each name. A series is a line unless
  // its `type` is "bar"; without `tone` it takes the next colour, with `signed` red above zero and green below.
  const TONES = ["--color-primary-500", "#0ea5e9", "#f59e0b", "#10b981", "#8b5cf6", "#64748b", "#e11d48", "#14b8a6", "#a16207", "#6366f1", "#84cc16"];
  const UNITS = { money, percent: (value) => `${value}%`, number: (value) => Number(value).toLocaleString("zh-TW") };
  const WEEKDAYS = "日一二三四五六";
  const isDay = (label) => /^\d{4}-\d{2}-\d{2}$/.test(label);
  const shortDay = (label) => (isDay(label) ? `${+label.slice(5, 7)}/${+label.slice(8)}` : label);
  const longDay = (label) => (isDay(label) ? `${label}（${WEEKDAYS[new Date(`${label}T00:00Z`).getUTCDay()]}）` : label);

  // First and last place of each band among the labels, and what a tooltip says at each place. Days sort as text.
  const placed = (labels, bands, marks) => {
    const shaded = bands
      .map(({ from, to, label }) => {
        const inside = labels.flatMap((one, place) => (from <= one && one <= to ? [place] : []));
        return { first: inside[0], last: inside[inside.length - 1], label };
      })
      .filter(({ first }) => first !== undefined);
    const pinned = marks.map(({ at: label, text }) => ({ place: labels.indexOf(label), text })).filter(({ place }) => place >= 0);
    const said = (place) => [
      ...shaded.filter(({ first, last }) => first <= place && place <= last).map(({ label }) => label),
      ...pinned.filter((mark) => mark.place === place).map(({ text }) => text),
    ];
    return { shaded, pinned, said };
  };

  const backdrop = (labels, { shaded, pinned }) => ({
    id: "momo-backdrop",
    beforeDatasetsDraw({ ctx, chartArea: { top, bottom, left, right }, scales: { x } }) {
      const half = labels.length > 1 ? (x.getPixelForValue(1) - x.getPixelForValue(0)) / 2 : (right - left) / 2;
      const within = (pixel) => Math.min(right, Math.max(left, pixel));
      ctx.save();
      ctx.font = `11px ${Chart.defaults.font.family}`;
      ctx.textBaseline = "top";
      let free = left; // where no label stands yet
      for (const { first, last, label } of shaded) {
        const [begin, end] = [within(x.getPixelForValue(first) - half), within(x.getPixelForValue(last) + half)];
        ctx.fillStyle = "rgb(245 158 11 / 16%)";
        ctx.fillRect(begin, top, Math.max(end - begin, 2), bottom - top);
        const width = ctx.measureText(label).width;
        const start = Math.max(begin + 2, free);
        if (start > begin + 24 || start + width > right) continue;
        ctx.fillStyle = variable("--mo-faint");
        ctx.fillText(label, start, top + 2);
        free = start + width + 8;
      }
      ctx.strokeStyle = ctx.fillStyle = variable("--mo-faint");
      ctx.setLineDash([2, 3]);
      for (const { place } of pinned) {
        const pixel = x.getPixelForValue(place);
        ctx.beginPath();
        ctx.moveTo(pixel, top);
        ctx.lineTo(pixel, bottom);
        ctx.stroke();
        ctx.beginPath();
        ctx.arc(pixel, bottom - 4, 3, 0, 2 * Math.PI);
        ctx.fill();
      }
      ctx.restore();
    },
  });

  const series = ({ labels, series: lines, unit = "number", across = false, stacked = false, bands = [], marks = [] }) => {
    const shown = UNITS[unit];
    const [names, values] = across ? ["y", "x"] : ["x", "y"];
    const context = placed(labels, bands, marks);
    const datasets = lines.map((line, number) => {
      const tone = line.signed ? line.data.map((value) => (value > 0 ? "--mo-up" : "--mo-down")) : line.tone || TONES[number % TONES.length];
      const bar = across || line.type === "bar";
      const look = bar
        ? { maxBarThickness: across ? 20 : 28, order: 2 }
        : { borderWidth: 2, pointRadius: labels.length > 62 ? 0 : 2, pointHitRadius: 10, borderDash: line.dashed ? [5, 4] : [], order: 1 };
      return { type: bar ? "bar" : "line", label: line.label, data: line.data, tone, ...look };
    });
    return {
      type: "bar",
      data: { labels, datasets },
      options: {
        indexAxis: names,
        interaction: { mode: "index", axis: names, intersect: false },
        scales: {
          [names]: {
            stacked,
            ticks: {
              ...(across ? { autoSkip: false } : { maxRotation: 0, autoSkipPadding: 12 }),
              callback(value) {
                return shortDay(this.getLabelForValue(value));
              },
            },
          },
          [values]: { stacked, beginAtZero: true, ticks: { callback: shown, maxRotation: 0, autoSkipPadding: 12 } },
        },
        plugins: {
          legend: { display: datasets.length > 1 },
          tooltip: {
            callbacks: {
              title: ([item]) => (item ? longDay(item.label) : ""),
              label: (item) => `${item.dataset.label} ${shown(item.parsed[values])}`,
              footer: ([item]) => (item ? context.said(item.dataIndex) : []),
            },
          },
        },
      },
      plugins: across ? [] : [backdrop(labels, context)],
    };
  };

  const KIND_OF_CHART = { price, events, sales, bars, usage, series };

  const draw = (canvas) => {
    const make = KIND_OF_CHART[canvas.dataset.momoChart];
    const source = document.getElementById(canvas.dataset.source);
    if (!make || !source) return;
    const dark = document.documentElement.classList.contains("dark");
    const ink = variable(dark ? "--color-base-400" : "--color-base-500");
    const grid = variable(dark ? "--color-base-800" : "--color-base-200");
    const config = make(JSON.parse(source.textContent));
    for (const dataset of config.data.datasets) {
      dataset.borderColor = dataset.backgroundColor = Array.isArray(dataset.tone) ? dataset.tone.map(colour) : colour(dataset.tone);
    }
    for (const scale of Object.values(config.options.scales)) {
      scale.grid = { color: grid };
      scale.border = { display: false };
      scale.ticks = { ...scale.ticks, color: ink };
    }
    config.options.maintainAspectRatio = false;
    config.options.animation = false;
    config.options.plugins.legend = {
      position: "bottom",
      labels: { boxHeight: 8, boxWidth: 8, color: ink, usePointStyle: true },
      ...config.options.plugins.legend,
    };
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
