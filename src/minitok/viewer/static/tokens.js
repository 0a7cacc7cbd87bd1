"use strict";
// The tokens of a text by one encoding, from what data.py stores: their bytes, their places, how merges make them.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE = new Uint8Array(128);
for (let i = 0; i < 64; i++) VALUE[ALPHABET.charCodeAt(i)] = i;

const fromHex = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");

class Tokens {
  constructor(data) {
    Object.assign(this, data);
    const n = this.count, numbers = (this.numbers = new Uint32Array(n));
    let at = 0;
    for (let k = 0; k < n; k++) {
      let number = 0, shift = 1, digit;
      do {
        digit = VALUE[data.tokens.charCodeAt(at++)];
        number += (digit & 31) * shift;
        shift *= 32;
      } while (digit & 32);
      numbers[k] = number;
    }
    this.cache = [];
    this.ends = new Float64Array(n + 1); // where each token begins; the last: how many bytes
    for (let k = 0; k < n; k++) this.ends[k + 1] = this.ends[k] + this.bytesOf(numbers[k]).length;
    this.hits = new Uint8Array(n); // 1: found by the search
  }

  // What a token is made of, left to right; without recursion, for tokens that are long.
  leaves(number) {
    const out = [], stack = [number];
    while (stack.length) {
      const k = stack.pop();
      if (this.table.left[k] < 0) out.push(k);
      else stack.push(this.table.right[k], this.table.left[k]);
    }
    return out;
  }

  bytesOf(number) {
    return (this.cache[number] ??= fromHex(this.leaves(number).map((k) => this.table.bytes[k]).join("")));
  }

  rank(number) {
    return (this.table.ranks || this.table.ids)[number];
  }

  all() {
    if (!this.joined) {
      this.joined = new Uint8Array(this.ends[this.count]);
      for (let k = 0; k < this.count; k++) this.joined.set(this.bytesOf(this.numbers[k]), this.ends[k]);
    }
    return this.joined;
  }

  // The token that holds a byte.
  at(byte) {
    let low = 0, high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.ends[middle] <= byte) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // The merges of a token: of the symbols that are ready always the lowest rank, the leftmost among equals.
  steps(number) {
    const nodes = [], stack = [[number, 0]];
    while (stack.length) {
      const [k, start] = stack.pop(), left = this.table.left[k], right = this.table.right[k];
      if (left < 0) continue;
      nodes.push({ k, start, left, right });
      stack.push([right, start + this.bytesOf(left).length], [left, start]);
    }
    const out = [], done = new Set(), key = (k, start) => `${k}:${start}`;
    const ready = (k, start) => this.table.left[k] < 0 || done.has(key(k, start));
    while (out.length < nodes.length) {
      let best = null;
      for (const node of nodes) {
        if (done.has(key(node.k, node.start)) || !ready(node.left, node.start)) continue;
        if (!ready(node.right, node.start + this.bytesOf(node.left).length)) continue;
        const by = best ? this.rank(node.k) - this.rank(best.k) || node.start - best.start : -1;
        if (by < 0) best = node;
      }
      done.add(key(best.k, best.start));
      out.push(best);
    }
    return out;
  }
}
