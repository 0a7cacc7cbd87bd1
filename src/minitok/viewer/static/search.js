// Search, by text in all encodings at once or by id. Letters of ASCII are found in either case.

const fold = (b) => (b > 64 && b < 91 ? b + 32 : b);

// Bytes as a string of as many characters, for the search of strings is fast.
function folded(bytes) {
  let out = "";
  for (let k = 0; k < bytes.length; k += 8192) out += String.fromCharCode(...bytes.subarray(k, k + 8192).map(fold));
  return out;
}

function search() {
  const query = $("query").value, byId = $("by").value === "id";
  state.hits = [];
  state.hit = -1;
  state.encodings.forEach((tokens, j) => {
    tokens.hits = new Set();
    if (!query) return;
    if (byId) {
      const id = /^\d+$/.test(query.trim()) ? +query : -2;
      tokens.numbers.forEach((k, n) => {
        if (tokens.table.ids[k] !== id) return;
        tokens.hits.add(n);
        state.hits.push([j, n]);
      });
      return;
    }
    tokens.folded ??= folded(tokens.all());
    const wanted = folded(new TextEncoder().encode(query));
    for (let at = tokens.folded.indexOf(wanted); at >= 0; at = tokens.folded.indexOf(wanted, at + wanted.length)) {
      const from = tokens.at(at), to = tokens.at(at + wanted.length - 1);
      for (let n = from; n <= to; n++) tokens.hits.add(n);
      if (j === 0) state.hits.push([j, from]); // the others have the same text
    }
  });
  $("found").textContent = query ? `${state.hits.length.toLocaleString("en")} found` : "";
  $("next").hidden = $("previous").hidden = !state.hits.length;
  for (const row of state.rows) {
    if (row.full) row.querySelectorAll(".t").forEach((t) => t.classList.toggle("hit", state.encodings[t.dataset.e].hits.has(+t.dataset.n)));
  }
}

function nextHit(by) {
  const count = state.hits.length;
  if (!count) return;
  state.hit = state.hit < 0 && by < 0 ? count - 1 : (state.hit + by + count) % count;
  $("found").textContent = `${(state.hit + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`;
  choose(...state.hits[state.hit], { focus: false });
}
