// What a chart's marks say, shown beside them: to whoever points at one, or goes from one to the next by the arrow keys.
// The words are each mark's label, which is there without this script as well.
const MARKS = 'path[role="graphics-symbol"][aria-label]';
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("aria-live", "polite");
tip.hidden = true;
document.body.append(tip);

function say(mark) {
  tip.textContent = mark.getAttribute("aria-label");
  tip.hidden = false;
  const place = mark.getBoundingClientRect();
  const left = place.left + place.width / 2 - tip.offsetWidth / 2;
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = place.top - tip.offsetHeight - 8;
  tip.style.left = `${scrollX + Math.max(8, Math.min(left, room))}px`;
  tip.style.top = `${scrollY + (above > 0 ? above : place.bottom + 8)}px`;
}

function hush() {
  tip.hidden = true;
}

for (const chart of document.querySelectorAll("svg.chart")) {
  const marks = [...chart.querySelectorAll(MARKS)];
  if (!marks.length) continue;
  let at = -1;
  chart.tabIndex = 0;
  chart.addEventListener("pointerover", ({ target }) => (target.matches(MARKS) ? say(target) : hush()));
  chart.addEventListener("pointerleave", hush);
  chart.addEventListener("blur", hush);
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") hush();
    if (!step) return;
    event.preventDefault();
    at = (at + step + marks.length) % marks.length;
    say(marks[at]);
  });
}
