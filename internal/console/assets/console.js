// Draws the charts and opens the dialog: what the server's templates and htmx can't do.
(() => {
  const drawn = new Map();

  // A custom property that is light-dark(…) has to be used to be computed.
  const probe = document.createElement("i");
  probe.hidden = true;
  const colour = (name) => {
    document.body.append(probe);
    probe.style.color = `var(--${name})`;
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  const short = (n) => n >= 1e6 ? +(n / 1e6).toFixed(1) + "M" : n >= 1e4 ? +(n / 1e3).toFixed(1) + "k" : String(+n.toPrecision(3));
  const time = (ms) => {
    for (const [unit, name] of [[864e5, "d"], [36e5, "h"], [6e4, "min"], [1e3, "s"]]) if (ms >= unit) return +(ms / unit).toPrecision(3) + " " + name;
    return +ms.toPrecision(3) + " ms";
  };
  const two = (n) => String(n).padStart(2, "0");
  const clock = (seconds, day) => {
    const at = new Date(seconds * 1000), time = two(at.getUTCHours()) + ":" + two(at.getUTCMinutes());
    return day ? two(at.getUTCMonth() + 1) + "-" + two(at.getUTCDate()) + " " + time : time;
  };

  function draw(box) {
    const { unit, times, lines: all } = JSON.parse(box.dataset.chart);
    const lines = all.filter((line) => line.values.some((v) => v)); // of many at zero, only the last would show
    const soft = colour("soft"), edge = colour("edge");
    const axis = { stroke: soft, grid: { stroke: edge, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const days = times.length && times[times.length - 1] - times[0] > 86400;
    const plot = new uPlot({
      width: box.clientWidth, height: box.clientHeight, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } }, padding: [8, 8, 0, 0],
      scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map((at) => clock(at, days)), space: days ? 90 : 60, size: 26 }, { ...axis, size: 52, values: (_, ticks) => ticks.map((n) => unit === "ms" ? time(n) : short(n)) }],
      series: [{}, ...lines.map((line) => ({ label: line.name, stroke: colour(line.class), width: 1.5, points: { show: line.values.filter((v) => v !== null).length < 3 } }))],
    }, [times, ...lines.map((line) => line.values)], box);
    drawn.set(box, plot);
    sized.observe(box);
  }

  const sized = new ResizeObserver((boxes) => {
    for (const { target } of boxes) drawn.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight });
  });

  // drawAll draws the charts that are new, and ends those that are gone; all of them, if asked to.
  function drawAll(again) {
    for (const [box, plot] of drawn) {
      if (again === true || !box.isConnected) { plot.destroy(); sized.unobserve(box); drawn.delete(box); }
    }
    for (const box of document.querySelectorAll("[data-chart]")) {
      if (!drawn.has(box)) draw(box);
    }
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(true));
  document.addEventListener("htmx:sseMessage", drawAll);
  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = document.getElementById("dialog");
    if (event.detail.target === dialog) {
      if (!dialog.open) dialog.showModal();
      // Not on the button: an Enter that is held down, or pressed twice, would confirm what nobody has read.
      document.getElementById("dialog-title").focus();
    }
    drawAll();
  });
  document.addEventListener("close", (event) => {
    if (event.target.id !== "dialog") return;
    const done = event.target.querySelector("[data-done]");
    event.target.replaceChildren();
    if (done) location.reload(); // what was done has changed what is shown
  }, true);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", drawAll);
  else drawAll();
})();
