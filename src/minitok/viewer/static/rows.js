// The text as rows: of each encoding the tokens between two places where the tokens of all of them end. They are made
// when they come near the window. Of each encoding one token can be reached by Tab, as a button: the others are text.

const ROW = 400; // tokens
const COLUMN = 215; // pixels: encodings that would get less stand below each other

const state = { white: false, encodings: [], rows: [], stops: [], current: null, pinned: false, hits: [], hit: -1 };

// For each row the first token of each encoding, and in the end how many tokens there are.
function cuts(encodings) {
  const n = Math.max(...encodings.map((e) => e.count)), first = encodings[0], out = [encodings.map(() => 0)];
  const same = encodings.every((e) => !e.changes && e.ends[e.count] === first.ends[first.count]);
  if (!same) {
    const rows = Math.ceil(n / ROW);
    for (let k = 1; k < rows; k++) out.push(encodings.map((e) => Math.floor((e.count * k) / rows)));
  } else {
    let last = 0;
    for (let k = 1; k < first.count; k++) {
      if (k - last < ROW / 4) continue;
      const bytes = first.bytesOf(first.numbers[k - 1]);
      if (bytes[bytes.length - 1] !== 10 && k - last < ROW) continue; // at the end of a line, if there is one
      const places = encodings.map((e) => e.at(first.ends[k]));
      if (encodings.some((e, j) => e.ends[places[j]] !== first.ends[k])) continue;
      out.push(places);
      last = k;
    }
  }
  out.push(encodings.map((e) => e.count));
  return out;
}

function fill(row) {
  row.textContent = "";
  row.style.minHeight = "";
  state.encodings.forEach((tokens, j) => {
    const cell = element("div", "cell"), text = element("div", "text");
    const from = row.from[j], to = row.to[j];
    cell.setAttribute("role", "group");
    cell.ariaLabel = `${tokens.name}, tokens ${from + 1} to ${to} of ${tokens.count}`;
    text.dir = "auto";
    text.lang = ""; // not known
    text.translate = false;
    for (let n = from; n < to; n++) {
      const number = tokens.numbers[n];
      const span = element("span", "t c" + (n % 6));
      if (tokens.table.kinds[number]) span.classList.add("sp");
      if (tokens.bytesOf(number).at(-1) === 10) span.classList.add("end"); // of a line: its id stands before it
      if (tokens.hits[n]) span.classList.add("hit");
      if (state.current?.j === j && state.current.n === n) span.classList.add("on");
      span.dataset.n = n;
      span.dataset.e = j;
      span.dataset.i = tokens.table.ids[number];
      addToken(span, tokens, n, state.white);
      if (n === state.stops[j]) makeStop(span, tokens, n);
      text.append(span);
    }
    const name = element("div", "name", tokens.name);
    name.ariaHidden = "true";
    cell.append(name, text);
    row.append(cell);
  });
  row.full = true;
}

const NEAR = 800; // pixels
const watcher = new IntersectionObserver(
  (seen) => seen.forEach((s) => { if (s.isIntersecting && !s.target.full) fill(s.target); }),
  { root: document, rootMargin: `${NEAR}px` },
);

// Fill what the watcher would, so that nothing moves when it comes into the window.
function fillAround(row) {
  const k = state.rows.indexOf(row);
  for (const by of [-1, 1]) {
    let room = innerHeight + NEAR;
    for (let i = k + by; room > 0 && state.rows[i]; i += by) {
      if (!state.rows[i].full) fill(state.rows[i]);
      room -= state.rows[i].offsetHeight;
    }
  }
}

function rowOf(j, n) {
  let low = 0, high = state.rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (state.rows[middle].to[j] > n) high = middle;
    else low = middle + 1;
  }
  return state.rows[low];
}

function spanOf(j, n) {
  const row = rowOf(j, n);
  if (!row.full) fill(row);
  return row.children[j].lastChild.children[n - row.from[j]];
}

const placeOf = (span) => span && { j: +span.dataset.e, n: +span.dataset.n };

function makeStop(span, tokens, n) {
  const kind = tokens.table.kinds[tokens.numbers[n]];
  span.tabIndex = 0;
  span.setAttribute("role", "button");
  span.ariaExpanded = String(span.classList.contains("on"));
  span.ariaLabel = `${spoken(tokens.bytesOf(tokens.numbers[n]))}${kind ? `, ${kind} token` : ""}, token ${n + 1} of ${tokens.count}`;
}

// Tab goes to this token from now on, and in the other encodings to those at the same place.
function setStop(j, n) {
  const first = state.encodings[j], byte = first.ends[n];
  state.encodings.forEach((tokens, k) => {
    const there = k === j ? n : first.changes || tokens.changes ? state.stops[k] : tokens.at(byte);
    const old = state.stops[k], row = old < tokens.count && rowOf(k, old);
    if (row && row.full && old !== there) {
      for (const name of ["tabindex", "role", "aria-expanded", "aria-label"]) spanOf(k, old).removeAttribute(name);
    }
    state.stops[k] = there;
    if (there < tokens.count && rowOf(k, there).full) makeStop(spanOf(k, there), tokens, there);
  });
}

function arrange() {
  state.width = $("rows").clientWidth;
  const n = state.encodings.length, stacked = n > 1 && state.width / n < COLUMN, columns = stacked ? 1 : n;
  document.body.style.setProperty("--n", columns);
  document.body.classList.toggle("stacked", stacked);
  const width = state.width / columns / 9 || 80; // characters
  for (const row of state.rows) {
    if (row.full) continue;
    const lines = state.encodings.map((e, j) => Math.ceil((e.ends[row.to[j]] - e.ends[row.from[j]]) / width));
    row.style.minHeight = `${28 * (stacked ? lines.reduce((a, b) => a + b) : Math.max(...lines))}px`;
  }
}

function show(data) {
  state.encodings = data.encodings.map((e) => new Tokens(e));
  state.stops = state.encodings.map(() => 0);
  state.current = null; // of the text before
  const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
  $("size").textContent = `${count(data.characters, "character")} · ${count(data.bytes, "byte")}`;
  const most = Math.max(1, ...state.encodings.map((e) => e.count));
  $("heads").replaceChildren(...state.encodings.map((e) => {
    const head = element("div", "head"), bar = element("div", "bar"), number = element("p", "count");
    const mean = `${(data.bytes / e.count).toFixed(2)} bytes a token · ${e.distinct.toLocaleString("en")} distinct`;
    bar.style.width = `${(100 * e.count) / most}%`;
    number.append(element("b", "", e.count.toLocaleString("en")), e.count === 1 ? " token" : " tokens");
    head.append(element("h2", "", e.name), number, bar, element("p", "dim", e.count ? mean : "no tokens"));
    if (e.changes) head.append(element("p", "dim", "changes the text before it cuts it; shown is what its tokens spell"));
    return head;
  }));
  const outside = state.encodings.some((e) => Object.keys(e.table.kinds).some((number) => number < e.distinct));
  $("special").disabled = !outside;
  $("special").title = outside ? "s" : "the text has none";
  const ends = cuts(state.encodings);
  watcher.disconnect();
  state.rows = ends.slice(1).map((to, k) => {
    const row = element("div", "row grid");
    row.from = ends[k];
    row.to = to;
    return row;
  });
  arrange(); // before there is much to lay out
  $("rows").replaceChildren(...state.rows);
  state.rows.forEach((row) => watcher.observe(row));
  closeDetails();
  search();
  return state.encodings.map((e) => `${e.name}: ${count(e.count, "token")}`).join(", ") + `; ${$("size").textContent}`;
}
