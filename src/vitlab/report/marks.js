// What a chart's marks say, shown beside them: to whoever points at one, or goes from one to the next by the keys: left
// and right take every mark, up and down the large ones, Home and End the first and the last. The words are each mark's
// label, which is there without this script as well.
const LARGE = 6; // pixels
const MARKS = 'path[role="graphics-symbol"][aria-label]';
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("aria-live", "polite");
tip.hidden = true;
document.body.append(tip);

let active;

function say(mark) {
  hush();
  active = mark;
  mark.classList.add("active");
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
  active?.classList.remove("active");
}

// From above to below, where small marks stand under large ones: a mean, then its seeds
function inOrder(marks) {
  const boxes = new Map(marks.map((mark) => [mark, mark.getBoundingClientRect()]));
  const large = marks.filter((mark) => boxes.get(mark).width >= LARGE);
  if (!large.length || large.length === marks.length) return [marks, marks];
  const above = (a, b) => boxes.get(a).top - boxes.get(b).top || boxes.get(a).left - boxes.get(b).left;
  return [marks.sort(above), large.sort(above)];
}

function next(marks, from, step) {
  const at = marks.indexOf(from);
  return marks[(at < 0 ? (step > 0 ? 0 : -1) : at + step + marks.length) % marks.length] ?? marks.at(-1);
}

for (const chart of document.querySelectorAll("svg.chart")) {
  const marks = [...chart.querySelectorAll(MARKS)];
  if (!marks.length) continue;
  let from;
  chart.tabIndex = 0;
  chart.addEventListener("pointerover", ({ target }) => (target.matches(MARKS) ? say(target) : hush()));
  chart.addEventListener("pointerleave", hush);
  chart.addEventListener("blur", hush);
  chart.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
    const [every, large] = inOrder(marks);
    const to = {
      ArrowRight: () => next(every, from, 1),
      ArrowLeft: () => next(every, from, -1),
      ArrowDown: () => next(large, from, 1),
      ArrowUp: () => next(large, from, -1),
      Home: () => every[0],
      End: () => every.at(-1),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    from = to();
    say(from);
  });
}
