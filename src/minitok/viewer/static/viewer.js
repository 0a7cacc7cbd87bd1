"use strict";
// Shows the tokens of a text (data.py says how they are stored). Everything from the text or a vocabulary becomes
// text nodes and attributes, never markup. Rows of tokens are made when they come near the window.

const $ = (id) => document.getElementById(id);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE = new Uint8Array(128);
for (let i = 0; i < 64; i++) VALUE[ALPHABET.charCodeAt(i)] = i;
const ROW = 400; // tokens

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");

class Tokens {
  constructor(data) {
    Object.assign(this, data);
    const n = this.count, numbers = (this.numbers = new Uint32Array(n));
    let at = 0;
    for (let k = 0; k < n; k++) {
      let number = 0, shift = 1, digit;
      do { digit = VALUE[data.tokens.charCodeAt(at++)]; number += (digit & 31) * shift; shift *= 32; } while (digit & 32);
      numbers[k] = number;
    }
    this.cache = [];
    this.ends = new Float64Array(n + 1); // where each token begins; the last: how many bytes
    for (let k = 0; k < n; k++) this.ends[k + 1] = this.ends[k] + this.bytesOf(numbers[k]).length;
    this.hits = new Set();
  }
  leaves(number) { // what it is made of, left to right; without recursion, for tokens that are long
    const out = [], stack = [number];
    while (stack.length) {
      const k = stack.pop();
      if (this.table.left[k] < 0) out.push(k); else stack.push(this.table.right[k], this.table.left[k]);
    }
    return out;
  }
  bytesOf(number) {
    return (this.cache[number] ??= fromHex(this.leaves(number).map((k) => this.table.bytes[k]).join("")));
  }
  rank(number) { return (this.table.ranks || this.table.ids)[number]; }
  all() {
    if (!this.joined) {
      this.joined = new Uint8Array(this.ends[this.count]);
      for (let k = 0; k < this.count; k++) this.joined.set(this.bytesOf(this.numbers[k]), this.ends[k]);
    }
    return this.joined;
  }
  at(byte) { // the token that holds a byte
    let low = 0, high = this.count - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (this.ends[middle] <= byte) low = middle; else high = middle - 1; }
    return low;
  }
  steps(number) { // of the symbols that are ready to merge always the lowest rank, the leftmost among equals
    const nodes = [], stack = [[number, 0]];
    while (stack.length && nodes.length < 64) {
      const [k, start] = stack.pop();
      if (this.table.left[k] < 0) continue;
      const left = this.table.left[k], right = this.table.right[k];
      nodes.push({ k, start, left, right });
      stack.push([right, start + this.bytesOf(left).length], [left, start]);
    }
    const out = [], done = new Set(), ready = (k, start) => this.table.left[k] < 0 || done.has(k + ":" + start);
    while (out.length < nodes.length) {
      let best = null;
      for (const node of nodes) {
        if (done.has(node.k + ":" + node.start) || !ready(node.left, node.start)) continue;
        if (!ready(node.right, node.start + this.bytesOf(node.left).length)) continue;
        if (!best || this.rank(node.k) < this.rank(best.k) || (this.rank(node.k) === this.rank(best.k) && node.start < best.start)) best = node;
      }
      if (!best) break;
      done.add(best.k + ":" + best.start);
      out.push(best);
    }
    return out;
  }
}

function characterAt(bytes, at) { // the length of the valid UTF-8 character that begins there; 0: none does
  const b = bytes[at];
  const length = b < 0x80 ? 1 : b >= 0xc2 && b < 0xe0 ? 2 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
  if (!length || at + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if ((bytes[at + k] & 0xc0) !== 0x80) return 0;
  const next = bytes[at + 1];
  return (b === 0xe0 && next < 0xa0) || (b === 0xed && next > 0x9f) || (b === 0xf0 && next < 0x90) || (b === 0xf4 && next > 0x8f) ? 0 : length;
}
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function whole(bytes) { try { return strict.decode(bytes); } catch { return null; } }

const MARKED = /\r\n|[\n\t ]|[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\u00a0\u00ad\u1680\u2000-\u200d\u202f\u205f-\u2064\u3000\ufeff]/gu;
function addText(to, text) {
  const show = state.white || /^[\p{Cf}\p{Zs}]+$/u.test(text.replace(/ /g, "")), chip = (s) => to.append(element("i", "x", s));
  let at = 0;
  for (const match of text.matchAll(MARKED)) {
    to.append(text.slice(at, match.index));
    at = match.index + match[0].length;
    const c = match[0], code = c.codePointAt(0);
    if (c === " ") to.append(state.white ? element("i", "w", "·") : " ");
    else if (c === "\t") to.append(element("i", "w", state.white ? "→\t" : "\t"));
    else if (c === "\n" || c === "\r\n") to.append(state.white ? element("i", "w", c === "\n" ? "↵" : "␍↵") : element("i", "nl"), "\n");
    else if (code < 32) chip(String.fromCodePoint(0x2400 + code));
    else if (code >= 0xa0 && !/[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(c) && !show) to.append(c);
    else chip("U+" + code.toString(16).toUpperCase().padStart(4, "0"));
  }
  to.append(text.slice(at));
}
function addToken(to, tokens, n) { // what is seen of it: a character in several tokens is seen in the first of them
  const plain = whole(tokens.bytesOf(tokens.numbers[n]));
  if (plain !== null) return addText(to, plain);
  const bytes = tokens.all(), end = tokens.ends[n + 1];
  for (let at = tokens.ends[n]; at < end; ) {
    const length = characterAt(bytes, at);
    if (length) { addText(to, whole(bytes.subarray(at, at + length))); at += length; continue; }
    let inside = false;
    for (let back = 1; back < 4 && at >= back; back++) if (characterAt(bytes, at - back) > back) inside = true;
    to.append(element("i", "x", inside ? "‥" : toHex(bytes.subarray(at, at + 1))));
    at++;
  }
}

const state = { white: false, encodings: [], rows: [], pinned: false, current: null, hits: [], hit: -1 };

function cuts(encodings) { // ends of rows: for each row the first token of each encoding
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
    const cell = element("div", "cell");
    cell.dir = "auto";
    for (let n = row.from[j]; n < row.to[j]; n++) {
      const number = tokens.numbers[n];
      const span = element("span", "t c" + (n % 6) + (tokens.table.kinds[number] ? " sp" : "") + (tokens.hits.has(n) ? " hit" : ""));
      span.dataset.n = n;
      span.dataset.e = j;
      span.dataset.i = tokens.table.ids[number];
      span.tabIndex = n ? -1 : 0;
      addToken(span, tokens, n);
      cell.append(span);
    }
    row.append(cell);
  });
  row.full = true;
}
const watcher = new IntersectionObserver((seen) => seen.forEach((s) => { if (s.isIntersecting && !s.target.full) fill(s.target); }), { rootMargin: "800px" });

function show(data) {
  state.encodings = data.encodings.map((e) => new Tokens(e));
  document.body.style.setProperty("--n", state.encodings.length);
  $("size").textContent = `${data.characters.toLocaleString("en")} characters · ${data.bytes.toLocaleString("en")} bytes`;
  const most = Math.max(1, ...state.encodings.map((e) => e.count));
  $("heads").replaceChildren(...state.encodings.map((e) => {
    const head = element("div", "head"), bar = element("div", "bar");
    bar.style.width = `${(100 * e.count) / most}%`;
    head.append(element("h2", "", e.name), element("b", "", e.count.toLocaleString("en")), " tokens", bar,
      element("span", "dim", e.count ? `${(data.bytes / e.count).toFixed(2)} bytes a token · ${e.distinct.toLocaleString("en")} distinct` : "no tokens"));
    if (e.changes) head.append(element("div", "dim", "changes the text before it cuts it; shown is what its tokens spell"));
    return head;
  }));
  const ends = cuts(state.encodings), width = $("rows").clientWidth / state.encodings.length / 9 || 80;
  watcher.disconnect();
  state.rows = ends.slice(1).map((to, k) => {
    const row = element("div", "row grid");
    row.from = ends[k];
    row.to = to;
    const size = Math.max(...state.encodings.map((e, j) => e.ends[to[j]] - e.ends[row.from[j]]));
    row.style.minHeight = `${Math.ceil(size / width) * 28}px`;
    return row;
  });
  $("rows").replaceChildren(...state.rows);
  state.rows.forEach((row) => watcher.observe(row));
  state.current = null;
  search();
}

function describe(span) {
  const j = +span.dataset.e, n = +span.dataset.n, tokens = state.encodings[j], number = tokens.numbers[n], bytes = tokens.bytesOf(number);
  const table = tokens.table, kind = table.kinds[number], rank = tokens.rank(number), steps = tokens.steps(number);
  document.querySelectorAll(".t.on").forEach((t) => t.classList.remove("on"));
  span.classList.add("on");
  const shown = new TextDecoder().decode(bytes), title = element("h2"), list = element("dl");
  addToken(title, tokens, n);
  const facts = { id: table.ids[number], rank: rank ?? "none", bytes: toHex(bytes), encoding: tokens.name,
    place: `token ${n + 1} of ${tokens.count}, bytes ${tokens.ends[n]}–${tokens.ends[n + 1]}` };
  if (kind) facts.kind = kind;
  for (const [name, value] of Object.entries(facts)) list.append(element("dt", "", name), element("dd", "", value));
  const built = element("ol"), text = (k) => whole(tokens.bytesOf(k)) ?? toHex(tokens.bytesOf(k));
  let symbols = tokens.leaves(number).map((k) => ({ k }));
  const line = (fresh, note) => {
    const li = element("li"), left = element("span");
    for (const s of symbols) { const code = element("code", s === fresh ? "new" : ""); addText(code, text(s.k)); left.append(code); }
    li.append(left, element("span", "dim", note));
    built.append(li);
  };
  if (steps.length && symbols.length <= 40) {
    let start = 0;
    for (const s of symbols) { s.start = start; start += tokens.bytesOf(s.k).length; }
    line(null, "bytes");
    for (const step of steps) {
      const at = symbols.findIndex((s) => s.start === step.start), made = { k: step.k, start: step.start };
      symbols.splice(at, 2, made);
      line(made, `rank ${tokens.rank(step.k)}`);
    }
  }
  const why = kind ? "Not built by merges: the string itself is looked for." : table.parts[number]
    ? `Taken whole: its merges come to ${table.parts[number].map((p) => whole(fromHex(p)) ?? p).join(" | ")}.`
    : !steps.length ? "A symbol that nothing is merged into." : symbols.length > 40 && !built.children.length ? `${symbols.length - 1} merges.` : "";
  $("panel").replaceChildren(title, list, element("h3", "", "How the merges built it"), built, element("p", "dim", why));
  span.setAttribute("role", "button");
  span.setAttribute("aria-label", `${shown}, token ${n + 1} of ${tokens.count}, id ${facts.id}, rank ${facts.rank}, bytes ${facts.bytes}, ${steps.length} merges`);
  state.current = span;
}

function go(j, n, focus = true) {
  const tokens = state.encodings[j];
  if (!tokens || n < 0 || n >= tokens.count) return;
  const row = state.rows.find((r) => n >= r.from[j] && n < r.to[j]);
  if (!row.full) fill(row);
  const span = row.children[j].children[n - row.from[j]];
  describe(span);
  if (focus) span.focus({ preventScroll: true });
  span.scrollIntoView({ block: "center" });
}

function search() {
  const query = $("query").value, byId = $("by").value === "id", fold = (b) => (b > 64 && b < 91 ? b + 32 : b);
  state.hits = [];
  state.hit = -1;
  state.encodings.forEach((tokens, j) => {
    tokens.hits = new Set();
    if (!query) return;
    if (byId) {
      const id = /^\d+$/.test(query.trim()) ? +query : -2;
      tokens.numbers.forEach((k, n) => { if (tokens.table.ids[k] === id) { tokens.hits.add(n); state.hits.push([j, n]); } });
      return;
    }
    tokens.folded ??= (() => { let out = ""; const all = tokens.all(); for (let k = 0; k < all.length; k += 8192) out += String.fromCharCode(...all.subarray(k, k + 8192).map(fold)); return out; })();
    const wanted = String.fromCharCode(...new TextEncoder().encode(query).map(fold));
    for (let at = tokens.folded.indexOf(wanted); at >= 0; at = tokens.folded.indexOf(wanted, at + wanted.length)) {
      const from = tokens.at(at), to = tokens.at(at + wanted.length - 1);
      for (let n = from; n <= to; n++) tokens.hits.add(n);
      if (j === 0) state.hits.push([j, from]);
    }
  });
  $("found").textContent = query ? `${state.hits.length.toLocaleString("en")} found` : "";
  state.rows.forEach((row) => row.full && row.querySelectorAll(".t").forEach((t) => t.classList.toggle("hit", state.encodings[t.dataset.e].hits.has(+t.dataset.n))));
}
function next(by) {
  if (!state.hits.length) return;
  state.hit = (state.hit + by + state.hits.length) % state.hits.length;
  $("found").textContent = `${state.hit + 1} of ${state.hits.length}`;
  go(...state.hits[state.hit], false);
}

function toggle(id) {
  const on = $(id).getAttribute("aria-pressed") !== "true";
  $(id).setAttribute("aria-pressed", on);
  if (id === "white") { state.white = on; state.rows.forEach((row) => row.full && fill(row)); } else document.body.classList.toggle(id, on);
}
const dark = matchMedia("(prefers-color-scheme: dark)"), THEMES = ["auto", "light", "dark"];
let theme = "auto";
function paint() { document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "auto" && dark.matches)); $("theme").textContent = `Theme: ${theme}`; }
dark.addEventListener("change", paint);
const turn = () => { theme = THEMES[(THEMES.indexOf(theme) + 1) % 3]; paint(); };

for (const id of ["white", "special", "numbers"]) $(id).addEventListener("click", () => toggle(id));
$("theme").addEventListener("click", turn);
$("query").addEventListener("input", search);
$("by").addEventListener("change", search);
$("query").addEventListener("keydown", (e) => { if (e.key === "Enter") next(e.shiftKey ? -1 : 1); });
$("rows").addEventListener("pointerover", (e) => { const t = e.target.closest(".t"); if (t && !state.pinned) describe(t); });
$("rows").addEventListener("click", (e) => { const t = e.target.closest(".t"); if (t) { state.pinned = !(state.pinned && t === state.current); describe(t); } });
$("rows").addEventListener("focusin", (e) => { const t = e.target.closest(".t"); if (t && t !== state.current) describe(t); });
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select")) return;
  const span = state.current, step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (e.key === "/") { e.preventDefault(); $("query").focus(); }
  else if (e.key === "w") toggle("white"); else if (e.key === "s") toggle("special"); else if (e.key === "i") toggle("numbers");
  else if (e.key === "t") turn(); else if (e.key === "Escape") state.pinned = false;
  else if (step) { e.preventDefault(); if (span) go(+span.dataset.e, +span.dataset.n + step); else go(0, 0); }
});

const data = JSON.parse($("data").textContent);
paint();
show(data);
if (data.live) {
  const typed = $("typed");
  let asked = 0, timer = 0;
  typed.hidden = false;
  typed.value = data.text;
  typed.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++asked;
      try {
        const answer = await fetch("/tokens", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: new TextEncoder().encode(typed.value) });
        const text = await answer.text();
        if (mine !== asked) return;
        $("trouble").textContent = answer.ok ? "" : text;
        if (answer.ok) show(JSON.parse(text));
      } catch { $("trouble").textContent = "The server does not answer; is it still running?"; }
    }, 60);
  });
}
