// Where patches look: drawn from the shares that the page holds, as whoever reads it points at a patch.
const SIDE = 256; // pixels, of a picture's longer side
const SMALL = 44; // of one head among all
const COLOURS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];
const KINDS = { uint8: Uint8Array, float32: Float32Array };
const chosen = (id) => document.getElementById(id).value;
const percent = (share) => `${(100 * share).toPrecision(3)} %`;

async function unpacked(template) {
  const told = JSON.parse(template.dataset.manifest);
  const bytes = Uint8Array.from(atob(template.content.textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const arrays = {};
  for (const { name, dtype, shape, start } of told.arrays) {
    const count = shape.reduce((a, b) => a * b, 1);
    arrays[name] = { values: new KINDS[dtype](buffer, start, count), shape };
  }
  return { ...told, arrays };
}

// One row of an array, of whatever number of axes: where its leading ones are at `places`
function row(array, places) {
  const { values, shape } = array;
  const length = shape.slice(places.length).reduce((a, b) => a * b, 1);
  const start = places.reduce((at, place, axis) => at * shape[axis] + place, 0) * length;
  return values.subarray(start, start + length);
}

function shares(model, name, places) {
  const steps = row(model.arrays[name], places);
  const [most] = row(model.arrays[`${name}_most`], places);
  return Float32Array.from(steps, (step) => (step / 255) * most);
}

function mean(rows) {
  const sum = new Float32Array(rows[0].length);
  for (const each of rows) each.forEach((value, at) => { sum[at] += value / rows.length; });
  return sum;
}

// Where the patch stands that is pointed at, from 0 to 1 down and across: grids of two models may differ
const at = { down: 0.5, across: 0.5 };
const patchOf = (model) => model.grid.map((count, axis) => Math.min(count - 1, Math.floor([at.down, at.across][axis] * count)));

function queries(model) {
  const from = chosen("from");
  const own = model.own.length;
  if (from === "patches") return Array.from({ length: model.grid[0] * model.grid[1] }, (_, patch) => own + patch);
  if (from !== "patch") return model.own.includes(from) ? [model.own.indexOf(from)] : [];
  const [down, across] = patchOf(model);
  return [own + down * model.grid[1] + across];
}

// What is to be drawn: shares of keys, own tokens first, or what a method says of patches; or why there is nothing
function map(model, picture, method, layer, head) {
  if (method === "attention" || method === "rollout") {
    const array = model.arrays[method];
    if (!array) return { why: model.missing[method] };
    const from = queries(model);
    if (!from.length) return { why: `this model has no ${chosen("from")} token` };
    if (method === "rollout") return keyed(model, mean(from.map((query) => shares(model, "rollout", [picture, query]))));
    const [, depth, heads] = array.shape;
    if (layer >= depth || head >= heads) return { why: `this model has ${depth} blocks of ${heads} heads` };
    const those = head < 0 ? [...Array(heads).keys()] : [head];
    return keyed(model, mean(those.flatMap((each) => from.map((query) => shares(model, "attention", [picture, layer, each, query])))));
  }
  const number = model.methods.indexOf(method);
  if (number < 0) return { why: model.missing[method] };
  return { values: row(model.arrays.relevance, [number, picture]), grid: model.grid, own: [] };
}

const keyed = (model, values) => ({ values: values.subarray(model.own.length), grid: model.keys, own: values.subarray(0, model.own.length), pooled: model.pooled[0] });

function colour(value, alpha) {
  const place = Math.max(0, Math.min(1, value)) * (COLOURS.length - 1);
  const low = Math.floor(place), high = Math.min(low + 1, COLOURS.length - 1);
  return [...COLOURS[low].map((part, each) => Math.round(part + (place - low) * (COLOURS[high][each] - part))), alpha];
}

function range(values) {
  let low = 0, high = 0;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  return [low, high > low ? high : low + 1];
}

// A grid of values as a small picture of as many pixels
function coloured(values, [rows, columns], [low, high], alpha) {
  const small = new OffscreenCanvas(columns, rows);
  const data = new ImageData(columns, rows);
  values.forEach((value, place) => data.data.set(colour((value - low) / (high - low), alpha), 4 * place));
  small.getContext("2d").putImageData(data, 0, 0);
  return small;
}

// A model's own picture: what it saw, which of two models may differ
function pictureOf(model, number) {
  model.drawn ??= new Map();
  if (!model.drawn.has(number)) {
    const [, rows, columns, channels] = model.arrays.pictures.shape;
    const values = row(model.arrays.pictures, [number]);
    const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    const data = new ImageData(columns, rows);
    for (let pixel = 0; pixel < rows * columns; pixel++) {
      for (let part = 0; part < 3; part++) data.data[4 * pixel + part] = values[channels * pixel + Math.min(part, channels - 1)];
      data.data[4 * pixel + 3] = 255;
    }
    canvas.getContext("2d").putImageData(data, 0, 0);
    model.drawn.set(number, canvas);
  }
  return model.drawn.get(number);
}

function sized(canvas, model) {
  const [height, width] = model.size;
  const scale = SIDE / Math.max(height, width);
  const wanted = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wanted[0] || canvas.height !== wanted[1]) [canvas.width, canvas.height] = wanted;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.filter = "none";
  return context;
}

// Broken where the map is of other tokens, and only the positions are this patch's
function outline(context, [down, across], grid, whole = true) {
  context.setLineDash(whole ? [] : [5, 5]);
  const [height, width] = [context.canvas.height / grid[0], context.canvas.width / grid[1]];
  context.lineWidth = 4; context.strokeStyle = "#000";
  context.strokeRect(across * width, down * height, width, height);
  context.lineWidth = 2; context.strokeStyle = "#fff";
  context.strokeRect(across * width, down * height, width, height);
}

// Pooled keys may reach beyond the last patch of the grid: they are the model's own division of it
function drawMap(context, image, found) {
  const { width, height } = context.canvas;
  context.filter = "grayscale(1)";
  context.drawImage(image, 0, 0, width, height);
  context.filter = "none";
  if (found.why) return;
  context.drawImage(coloured(found.values, found.grid, range(found.values), 185), 0, 0, width, height);
}

function words(model, found, method, place) {
  if (found.why) return found.why;
  const unit = method === "attention" || method === "rollout" ? percent : (value) => value.toPrecision(3);
  const most = found.values.indexOf(Math.max(...found.values));
  const named = (index) => `row ${Math.floor(index / found.grid[1]) + 1}, column ${(index % found.grid[1]) + 1}`;
  const texts = [`Most: ${named(most)}, ${unit(found.values[most])}`];
  if (place !== undefined) texts.unshift(`Here: ${named(place)}, ${unit(found.values[place])}`);
  found.own.forEach((share, token) => texts.push(`${model.own[token]} token ${percent(share)}`));
  if (found.pooled > 1) texts.push(`each value is the mean of ${found.pooled} × ${found.pooled} patches`);
  return `${texts.join("; ")}.`;
}

function drawHeads(model, box, picture) {
  const canvas = box.querySelector("canvas");
  const [, depth, heads] = model.arrays.attention.shape;
  const from = queries(model);
  const high = SMALL * Math.min(1, model.size[0] / model.size[1]), wide = SMALL * Math.min(1, model.size[1] / model.size[0]);
  const [across, down] = [wide + 4, high + 4];
  if (canvas.width !== heads * across) { canvas.width = heads * across; canvas.height = depth * down; }
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (let layer = 0; layer < depth; layer++) for (let head = 0; head < heads; head++) {
    if (!from.length) continue;
    const few = from.length > 1 ? mean(from.map((query) => shares(model, "attention", [picture, layer, head, query]))) : shares(model, "attention", [picture, layer, head, from[0]]);
    const values = few.subarray(model.own.length);
    context.drawImage(coloured(values, model.keys, range(values), 255), head * across + 2, layer * down + 2, wide, high);
  }
  const layer = Number(chosen("layer")), head = Number(chosen("head"));
  context.strokeStyle = getComputedStyle(box).color; context.lineWidth = 2;
  if (head < 0) context.strokeRect(1, layer * down + 1, heads * across - 2, down - 2);
  else context.strokeRect(head * across + 1, layer * down + 1, across - 2, down - 2);
}

function table(caption, columns, rows, most) {
  const element = document.createElement("table");
  element.createCaption().textContent = caption;
  const head = element.createTHead().insertRow();
  for (const column of columns) head.append(Object.assign(document.createElement("th"), { textContent: column, scope: "col" }));
  const body = element.createTBody();
  for (const [name, ...values] of rows) {
    const line = body.insertRow();
    line.append(Object.assign(document.createElement("th"), { textContent: name, scope: "row" }));
    for (const { value, text } of values) {
      const cell = line.insertCell();
      cell.className = "number";
      cell.textContent = text;
      if (value) cell.style.background = `color-mix(in srgb, var(--${value > 0 ? "accent" : "second"}) ${Math.round(38 * Math.min(1, Math.abs(value) / most))}%, transparent)`;
    }
  }
  return element;
}

function writeLogits(model, box, picture) {
  const { logit_parts: parts, logits, logit_classes: classes } = model.arrays;
  if (!parts) { box.textContent = model.missing.logit_parts ?? ""; return; }
  const values = row(parts, [picture]);
  const blocks = new Map(), others = [], columns = [];
  model.parts.forEach((part, index) => {
    const found = part.match(/^blocks\.(\d+)\.(.+)$/);
    if (!found) { others.push([part, values[index]]); return; }
    if (!columns.includes(found[2])) columns.push(found[2]);
    if (!blocks.has(found[1])) blocks.set(found[1], {});
    blocks.get(found[1])[found[2]] = values[index];
  });
  const most = Math.max(...values.map(Math.abs));
  const cell = (value) => (value === undefined ? { text: "–" } : { value, text: value.toFixed(2) });
  const rows = [...blocks].map(([block, each]) => [`block ${block}`, ...columns.map((column) => cell(each[column]))]);
  const total = `${model.classes[classes.values[picture]]}: logit ${logits.values[picture].toFixed(2)} = all below + ${others.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(" + ")}`;
  box.replaceChildren(table(total, ["", ...columns.map((column) => column.replace(/^attn\.z\./, "head "))], rows, most));
}

function writeLens(model, box, picture) {
  const lens = model.arrays.lens;
  if (!lens) { box.textContent = model.missing.lens ?? ""; return; }
  const layers = Array.from({ length: lens.shape[0] }, (_, layer) => row(lens, [layer, picture]));
  const last = layers[layers.length - 1];
  const best = [...last.keys()].sort((a, b) => last[b] - last[a]).slice(0, 5);
  const rows = layers.map((each, layer) => [layer ? `after block ${layer - 1}` : "embedded", ...best.map((number) => ({ value: each[number], text: percent(each[number]) }))]);
  box.replaceChildren(table("If the head read the tokens there (logit lens): the likeliest classes", ["", ...best.map((number) => model.classes[number])], rows, 1));
}

const models = [];

function draw(read) {
  const picture = Number(document.querySelector('input[name="picture"]:checked').value);
  const method = chosen("method"), layer = Number(chosen("layer")), head = Number(chosen("head"));
  document.querySelectorAll(".model[data-model]").forEach((column) => {
    const model = models[column.dataset.model];
    const found = map(model, picture, method, layer, head);
    const query = sized(column.querySelector("canvas.query"), model);
    query.drawImage(pictureOf(model, picture), 0, 0, query.canvas.width, query.canvas.height);
    outline(query, patchOf(model), model.grid, chosen("from") === "patch");
    drawMap(sized(column.querySelector("canvas.map"), model), pictureOf(model, picture), found);
    const positions = column.querySelector("canvas.positions");
    if (positions) drawPositions(sized(positions, model), model);
    const place = read && !found.why ? Math.min(found.grid[0] - 1, Math.floor(read.down * found.grid[0])) * found.grid[1] + Math.min(found.grid[1] - 1, Math.floor(read.across * found.grid[1])) : undefined;
    column.querySelector(".read[aria-live]").textContent = words(model, found, method, place);
    column.querySelector(".says").textContent = `${model.labels[picture] ? `labelled ${model.labels[picture]}; ` : ""}${model.says[picture] ? `the model says ${model.says[picture]}` : "it gives features"}`;
    const heads = column.querySelector(".heads");
    if (heads) drawHeads(model, heads, picture);
  });
}

function drawPositions(context, model) {
  const [down, across] = patchOf(model);
  const values = row(model.arrays.positions, [down * model.grid[1] + across]);
  let low = Infinity, high = -Infinity;
  for (const value of model.arrays.positions.values) { low = Math.min(low, value); high = Math.max(high, value); }
  context.drawImage(coloured(values, model.grid, [low, high > low ? high : low + 1], 255), 0, 0, context.canvas.width, context.canvas.height);
  outline(context, [down, across], model.grid);
}

function drawAll() {
  const picture = Number(document.querySelector('input[name="picture"]:checked').value);
  document.querySelectorAll(".logits").forEach((box) => writeLogits(models[box.dataset.model], box, picture));
  document.querySelectorAll(".lens").forEach((box) => writeLens(models[box.dataset.model], box, picture));
  const method = document.getElementById("method");
  document.getElementById("explained").textContent = method.selectedOptions[0].dataset.explained ?? "";
  document.getElementById("layer").disabled = document.getElementById("head").disabled = method.value !== "attention";
  document.getElementById("from").disabled = method.value !== "attention" && method.value !== "rollout";
  draw();
}

function pointed(event, box) {
  const place = box.querySelector("canvas").getBoundingClientRect();
  const inside = (value) => Math.max(0, Math.min(0.9999, value));
  return { down: inside((event.clientY - place.top) / place.height), across: inside((event.clientX - place.left) / place.width) };
}

// The arrow keys: one patch further, which stays in the picture
function moved(event, grid, place) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!steps) return null;
  event.preventDefault();
  const go = (value, count, step) => (Math.max(0, Math.min(count - 1, Math.floor(value * count) + step)) + 0.5) / count;
  return { down: go(place.down, grid[0], steps[0]), across: go(place.across, grid[1], steps[1]) };
}

function save(column, kind) {
  const canvas = column.querySelector("canvas.map");
  const model = models[column.dataset.model];
  const picture = Number(document.querySelector('input[name="picture"]:checked').value);
  const what = chosen("method") === "attention" ? `attention_${chosen("layer")}_${chosen("head")}_${chosen("from")}` : chosen("method");
  const name = `${model.title}_${what}_${picture}.${kind}`.replace(/[^\w.-]+/g, "_");
  let address = canvas.toDataURL("image/png");
  if (kind === "svg") {
    const found = map(model, picture, chosen("method"), Number(chosen("layer")), Number(chosen("head")));
    const { width, height } = canvas;
    const [low, high] = found.why ? [0, 1] : range(found.values);
    const cells = found.why ? [] : Array.from(found.values, (value, index) => {
      const [r, g, b] = colour((value - low) / (high - low), 255);
      const [rows, columns] = found.grid;
      return `<rect x="${((index % columns) * width) / columns}" y="${(Math.floor(index / columns) * height) / rows}" width="${width / columns}" height="${height / rows}" fill="rgb(${r},${g},${b})" fill-opacity="0.73"/>`;
    });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><image href="${pictureOf(model, picture).toDataURL()}" width="${width}" height="${height}" preserveAspectRatio="none" style="image-rendering:pixelated;filter:grayscale(1)"/>${cells.join("")}</svg>`;
    address = `data:image/svg+xml;base64,${btoa(svg)}`;
  }
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
}

async function begin() {
  for (const template of document.querySelectorAll("template[data-manifest]")) models.push(await unpacked(template));
  const reading = { down: 0.5, across: 0.5 };
  document.querySelectorAll(".model[data-model]").forEach((column) => {
    const model = models[column.dataset.model];
    const [from, to] = [column.querySelector("canvas.query").parentElement, column.querySelector("canvas.map").parentElement];
    const query = (place) => { Object.assign(at, place); document.getElementById("from").value = "patch"; draw(); };
    for (const kind of ["pointermove", "pointerdown"]) {
      from.addEventListener(kind, (event) => query(pointed(event, from)));
      to.addEventListener(kind, (event) => draw(pointed(event, to)));
    }
    from.addEventListener("keydown", (event) => { const place = moved(event, model.grid, at); if (place) query(place); });
    to.addEventListener("keydown", (event) => {
      const place = moved(event, model.keys, reading);
      if (place) draw(Object.assign(reading, place));
    });
    column.querySelector(".png").addEventListener("click", () => save(column, "png"));
    column.querySelector(".svg").addEventListener("click", () => save(column, "svg"));
    column.querySelector(".heads canvas")?.addEventListener("click", (event) => {
      const [, depth, heads] = model.arrays.attention.shape;
      const place = pointed(event, event.target.parentElement);
      document.getElementById("layer").value = Math.floor(place.down * depth);
      document.getElementById("head").value = Math.floor(place.across * heads);
      document.getElementById("method").value = "attention";
      drawAll();
    });
  });
  document.getElementById("look").addEventListener("change", drawAll);
  drawAll();
  document.getElementById("look").dataset.ready = "yes";
}

begin();
