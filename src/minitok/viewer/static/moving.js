// From token to token by keys: along the text, and up and down by the lines on the screen.

const SAME_LINE = 12; // pixels: less than half a line, as middles of tokens of one line differ little

const middles = (j, n) => Array.from(spanOf(j, n).getClientRects(), (r) => ({ left: r.left, right: r.right, y: (r.top + r.bottom) / 2 }));

// The token in the line above (-1) or below (1) that is nearest to where one comes from; null: there is no such line.
function vertical({ j, n }, by) {
  const here = middles(j, n), from = here.at(by > 0 ? -1 : 0);
  state.x ??= (from.left + from.right) / 2;
  let line = null, best = null, least = Infinity;
  for (let k = n + by; k >= 0 && k < state.encodings[j].count; k += by) {
    for (const place of middles(j, k)) {
      const beyond = (place.y - from.y) * by;
      if (beyond < SAME_LINE) continue;
      line ??= beyond;
      if (beyond > line + SAME_LINE) return best;
      const away = Math.max(place.left - state.x, state.x - place.right, 0);
      if (away < least || (away === least && k < best)) [least, best] = [away, k]; // the same one from above and from below
    }
  }
  return best;
}

// The last token before (-1) or after (1) this one that is on the same line.
function lineEnd({ j, n }, by) {
  const y = middles(j, n).at(by > 0 ? -1 : 0).y;
  let k = n;
  while (k + by >= 0 && k + by < state.encodings[j].count && middles(j, k + by).some((p) => Math.abs(p.y - y) < SAME_LINE)) k += by;
  return k;
}

// Whether a key was one that moves. Without a token that has the focus, only left and right begin.
function move(key, whole) {
  const focused = placeOf(document.activeElement.closest(".t")), at = focused ?? state.current;
  const count = (j) => state.encodings[j].count;
  let to;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    to = at ? { j: at.j, n: at.n + (key === "ArrowRight" ? 1 : -1) } : { j: 0, n: state.stops[0] };
  } else if (!focused) {
    return false;
  } else if (key === "ArrowUp" || key === "ArrowDown") {
    const x = state.x;
    to = { j: at.j, n: vertical(at, key === "ArrowDown" ? 1 : -1) ?? at.n };
    const kept = x ?? state.x;
    choose(to.j, to.n);
    state.x = kept;
    return true;
  } else if (key === "Home") {
    to = { j: at.j, n: whole ? 0 : lineEnd(at, -1) };
  } else if (key === "End") {
    to = { j: at.j, n: whole ? count(at.j) - 1 : lineEnd(at, 1) };
  } else {
    return false;
  }
  state.x = null;
  choose(to.j, Math.min(Math.max(to.n, 0), count(to.j) - 1));
  return true;
}
