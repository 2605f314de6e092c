// Small charts drawn from a table that is in the page, so that both always say the same.
// Without this script the table is all there is; with it the table stays for whoever reads it.

const theme = window.matchMedia("(prefers-color-scheme: dark)");
const locale = document.documentElement.lang;

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(table) {
  const rows = [...table.querySelectorAll("tr[data-day]")].reverse();
  return {
    days: rows.map((row) => Date.parse(`${row.dataset.day}T00:00:00Z`) / 1000),
    // Today is not over: a small number of it says nothing.
    last: Math.max(0, rows.findLastIndex((row) => !("unfinished" in row.dataset))),
    names: rows.map((row) => row.querySelector("th").textContent),
    column(name) {
      const cells = rows.map((row) => row.querySelector(`[data-name="${name}"]`));
      const numbers = (key) =>
        cells.map((cell) => (key in cell.dataset ? Number(cell.dataset[key]) : null));
      return {
        value: numbers("value"),
        low: numbers("low"),
        high: numbers("high"),
        texts: cells.map((cell) => (cell.querySelector(".share") ?? cell).textContent.trim()),
      };
    },
  };
}

function options(column, share, width, height, show) {
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const plain = new Intl.NumberFormat(locale, { notation: "compact" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = {
    stroke: color("--soft"),
    font,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  const series = [{}, {
    stroke: color("--part-confirmed"),
    width: 2,
    points: { size: 5, fill: color("--part-confirmed") },
  }];
  const bands = [];
  if (share) {
    const edge = { stroke: "transparent", width: 0, points: { show: false } };
    series.push(edge, { ...edge });
    bands.push({ series: [3, 2], fill: `${color("--part-stage")}40` });
  }
  return {
    width,
    height,
    series,
    bands,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: "days" } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: {
      y: { range: (_plot, _low, high) => [0, share ? Math.min(1, (high || 1) * 1.1) : (high || 1) * 1.1] },
    },
    axes: [
      { ...axis, space: 70, size: 24, grid: { show: false }, values: (_plot, ticks) => ticks.map((tick) => day.format(tick * 1000)) },
      { ...axis, space: 36, size: 44, values: (_plot, ticks) => ticks.map((tick) => (share ? percent : plain).format(tick)) },
    ],
    hooks: { setCursor: [(plot) => show(plot.cursor.idx)] },
  };
}

function draw(figure, table) {
  const name = figure.dataset.chart;
  const column = table.column(name);
  const share = column.low.some((low) => low !== null);
  const place = figure.querySelector(".multiple-plot");
  const label = figure.querySelector("[data-value]");
  const show = (at) => {
    const index = at ?? table.last;
    label.textContent = `${table.names[index]}${figure.parentElement.dataset.colon}${column.texts[index]}`;
  };
  const data = [table.days, column.value, ...(share ? [column.low, column.high] : [])];
  const make = () => {
    place.replaceChildren();
    const size = [place.clientWidth, place.clientHeight];
    return new uPlot(options(column, share, ...size, show), data, place);
  };
  let plot = make();
  show(null);
  theme.addEventListener("change", () => {
    plot.destroy();
    plot = make();
  });
  new ResizeObserver(() => {
    plot.setSize({ width: place.clientWidth, height: place.clientHeight });
  }).observe(place);
}

for (const charts of document.querySelectorAll("[data-charts]")) {
  const table = document.getElementById(charts.dataset.charts);
  if (table && typeof uPlot === "function") {
    charts.hidden = false;
    const rows = read(table);
    for (const figure of charts.querySelectorAll("[data-chart]")) {
      draw(figure, rows);
    }
  }
}
