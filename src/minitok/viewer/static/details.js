// What is to be known of one token, in the panel; and for those who hear the page, in a sentence.

const LONG = 40; // symbols: of a token of more only the last merge is shown
const SHOWN_BYTES = 64;
const SHOWN_TEXT = 240; // bytes

function say(text) {
  $("said").textContent = text;
}

function hexOf(bytes) {
  const rest = bytes.length - SHOWN_BYTES;
  return toHex(bytes.subarray(0, SHOWN_BYTES)) + (rest > 0 ? ` … and ${rest.toLocaleString("en")} more` : "");
}

// Bytes as text in an element, or as hexadecimal; the beginning of many.
function addBrief(to, bytes) {
  let end = Math.min(bytes.length, SHOWN_TEXT);
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--; // not inside of a character
  const text = whole(bytes.subarray(0, end));
  if (text === null) to.append(hexOf(bytes));
  else addText(to, text + (end < bytes.length ? "…" : ""), true);
}

// The merges as a list: a line shows all symbols after a merge, the new one marked.
function mergeList(tokens, number) {
  const list = element("ol"), leaves = tokens.leaves(number);
  let symbols, steps;
  if (leaves.length > LONG) {
    const left = tokens.table.left[number];
    symbols = [left, tokens.table.right[number]];
    steps = [{ k: number, left, start: 0 }];
  } else {
    symbols = leaves;
    steps = tokens.steps(number);
  }
  let start = 0;
  symbols = symbols.map((k) => {
    const symbol = { k, start };
    start += tokens.bytesOf(k).length;
    return symbol;
  });
  const line = (fresh, note) => {
    const item = element("li"), shown = element("span", "symbols");
    for (const symbol of symbols) {
      const code = element("code", symbol === fresh ? "new" : "");
      addBrief(code, tokens.bytesOf(symbol.k));
      shown.append(code);
    }
    item.append(shown, element("span", "dim", note));
    list.append(item);
  };
  if (!steps.length) return list;
  line(null, leaves.length > LONG ? `after ${leaves.length - 2} merges` : "bytes");
  for (const step of steps) {
    const at = symbols.findIndex((s) => s.start === step.start), made = { k: step.k, start: step.start };
    symbols.splice(at, 2, made);
    line(made, `rank ${tokens.rank(step.k)}`);
  }
  return list;
}

function why(tokens, number) {
  const kind = tokens.table.kinds[number], parts = tokens.table.parts[number];
  if (kind === "special" || kind === "added") return "Not built by merges: the string itself is looked for.";
  if (kind === "byte") return "Not built by merges: it stands for a byte of a character that is no token.";
  if (kind) return "Not built by merges: text never becomes it.";
  if (parts) return `Taken whole: its merges come to ${parts.map((p) => whole(fromHex(p)) ?? p).join(" | ")}.`;
  return tokens.table.left[number] < 0 ? "A symbol that nothing is merged into." : "";
}

// Show a token in the panel.
function describe(j, n) {
  const tokens = state.encodings[j], number = tokens.numbers[n], bytes = tokens.bytesOf(number);
  const kind = tokens.table.kinds[number], rank = tokens.rank(number) ?? "none";
  mark(false);
  state.current = { j, n };
  mark(true);
  const title = element("h2"), list = element("dl"), close = element("button", "close", "×");
  if (whole(bytes) === null) addToken(title, tokens, n, true);
  else addBrief(title, bytes);
  title.dir = "auto";
  title.lang = "";
  close.type = "button";
  close.title = "Esc";
  close.ariaLabel = "Close the details";
  close.addEventListener("click", closeDetails);
  const facts = { id: tokens.table.ids[number], rank, bytes: hexOf(bytes), encoding: tokens.name,
    place: `token ${n + 1} of ${tokens.count}, bytes ${tokens.ends[n]}–${tokens.ends[n + 1]}` };
  if (kind) facts.kind = kind;
  for (const [name, value] of Object.entries(facts)) list.append(element("dt", "", name), element("dd", "", value));
  const heading = element("h3", "", "How the merges built it"), because = why(tokens, number);
  $("panel").replaceChildren(close, title, list, heading, mergeList(tokens, number));
  if (because) $("panel").append(element("p", "dim", because));
  $("panel").classList.add("open");
}

// The current token's ring, if the token is there.
function mark(on) {
  if (!state.current) return;
  const { j, n } = state.current;
  if (!rowOf(j, n)?.full) return;
  const span = spanOf(j, n);
  span.classList.toggle("on", on);
  if (span.hasAttribute("role")) span.ariaExpanded = String(on);
}

function sentence(j, n) {
  const tokens = state.encodings[j], number = tokens.numbers[n], bytes = tokens.bytesOf(number), left = tokens.table.left[number];
  const merges = tokens.leaves(number).length - 1, rank = tokens.rank(number) ?? "none";
  const last = left < 0 ? "" : `, the last ${spoken(tokens.bytesOf(left))} + ${spoken(tokens.bytesOf(tokens.table.right[number]))}`;
  return `id ${tokens.table.ids[number]}, rank ${rank}, ${bytes.length === 1 ? "byte" : `${bytes.length} bytes`} ${hexOf(bytes)}. `
    + (why(tokens, number) || `Built by ${merges} merge${merges === 1 ? "" : "s"}${last}.`);
}

// Show a token because it was asked for: it stays, is heard, and can be seen.
function choose(j, n, { focus = true } = {}) {
  const tokens = state.encodings[j];
  if (!tokens || n < 0 || n >= tokens.count) return;
  setStop(j, n);
  const span = spanOf(j, n);
  fillAround(rowOf(j, n));
  describe(j, n);
  state.pinned = true;
  if (focus) focusOn(j, n);
  reveal(span);
  say((focus ? "" : `${spanOf(j, n).ariaLabel}, `) + sentence(j, n));
}

// Focus a token without showing it anew.
function focusOn(j, n) {
  setStop(j, n);
  state.focusing = true;
  spanOf(j, n).focus({ preventScroll: true });
  state.focusing = false;
}

function closeDetails() {
  const inside = $("panel").contains(document.activeElement), place = state.current;
  mark(false);
  state.current = null;
  state.pinned = false;
  $("panel").classList.remove("open");
  $("panel").replaceChildren(element("p", "dim", "Point at a token, tap it, or move with the arrow keys."));
  if (inside && place) focusOn(place.j, place.n);
}

// Scroll so that nothing that stands still covers a token.
function reveal(span) {
  const stuck = (e) => ["sticky", "fixed"].includes(getComputedStyle(e).position);
  const above = [document.querySelector("header"), document.querySelector("search"), $("heads")].filter(stuck);
  const top = Math.max(0, ...above.map((e) => e.offsetHeight + (parseFloat(getComputedStyle(e).top) || 0)));
  const panel = $("panel"), bottom = getComputedStyle(panel).position === "fixed" ? panel.getBoundingClientRect().top : innerHeight;
  const place = span.getBoundingClientRect();
  if (place.top < top + 8) scrollBy(0, place.top - top - (bottom - top) / 3);
  else if (place.bottom > bottom - 8) scrollBy(0, Math.min(place.top - top - 8, place.bottom - bottom + (bottom - top) / 3));
}
