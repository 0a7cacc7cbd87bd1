// Search, by text in all encodings at once or by id. Letters of ASCII are found in either case.

const fold = (b) => (b > 64 && b < 91 ? b + 32 : b);

// Bytes as a string of as many characters, for the search of strings is fast.
function folded(bytes) {
  let out = "";
  for (let k = 0; k < bytes.length; k += 8192) out += String.fromCharCode(...bytes.subarray(k, k + 8192).map(fold));
  return out;
}

function search() {
  const query = $("query").value, byId = $("by").value === "id", id = /^\d+$/.test(query.trim()) ? +query : -2;
  state.hits = state.encodings.map(() => []); // where they begin
  state.hit = -1;
  state.encodings.forEach((tokens, j) => {
    tokens.hits = new Uint8Array(tokens.count);
    if (!query) return;
    if (byId) {
      tokens.numbers.forEach((k, n) => {
        if (tokens.table.ids[k] !== id) return;
        tokens.hits[n] = 1;
        state.hits[j].push(n);
      });
      return;
    }
    tokens.folded ??= folded(tokens.all());
    const wanted = folded(new TextEncoder().encode(query));
    const { ends } = tokens;
    let from = 0;
    for (let at = tokens.folded.indexOf(wanted); at >= 0; at = tokens.folded.indexOf(wanted, at + wanted.length)) {
      while (ends[from + 1] <= at) from++;
      for (let to = from; to < tokens.count && ends[to] < at + wanted.length; to++) tokens.hits[to] = 1;
      if (j === 0) state.hits[0].push(from); // the others have the same text
    }
  });
  const count = hitCount();
  $("found").textContent = query ? `${count.toLocaleString("en")} found` : "";
  $("next").hidden = $("previous").hidden = !count;
  for (const row of state.rows) {
    if (!row.full) continue;
    row.querySelectorAll(".t").forEach((t) => t.classList.toggle("hit", !!state.encodings[t.dataset.e].hits[t.dataset.n]));
  }
}

const hitCount = () => state.hits.reduce((sum, places) => sum + places.length, 0);

function nextHit(by) {
  const count = hitCount();
  if (!count) return;
  state.hit = state.hit < 0 && by < 0 ? count - 1 : (state.hit + by + count) % count;
  $("found").textContent = `${(state.hit + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`;
  let j = 0, k = state.hit;
  while (k >= state.hits[j].length) k -= state.hits[j++].length;
  choose(j, state.hits[j][k], { focus: false });
}
