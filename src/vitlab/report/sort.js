// The heads of a table become buttons that sort it. Without this script the tables stand as they were written.
const key = (row, column) => row.cells[column].dataset.sort;

function sort(table, head, column) {
  const descending = head.getAttribute("aria-sort") === "ascending";
  const sign = descending ? -1 : 1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => {
    const [x, y] = [key(a, column), key(b, column)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined); // what is missing stays last
    return sign * (head.dataset.kind === "number" ? x - y : x.localeCompare(y, "en", { numeric: true }));
  });
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head, column));
  });
}
