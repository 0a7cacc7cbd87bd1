// What is seen of bytes. Whatever comes from a text or a vocabulary becomes text nodes and attributes, never markup.
// What cannot be seen, or would turn the text around it, is shown as a chip.

const $ = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// The length of the valid UTF-8 character that begins there; 0: none does.
function characterAt(bytes, at) {
  const b = bytes[at], next = bytes[at + 1];
  const length = b < 0x80 ? 1 : b >= 0xc2 && b < 0xe0 ? 2 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
  if (!length || at + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if ((bytes[at + k] & 0xc0) !== 0x80) return 0;
  const tooShort = (b === 0xe0 && next < 0xa0) || (b === 0xf0 && next < 0x90);
  const noCharacter = (b === 0xed && next > 0x9f) || (b === 0xf4 && next > 0x8f);
  return tooShort || noCharacter ? 0 : length;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function whole(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

const MARKED = /\r\n|[\p{Cc} \p{Zs}\p{Zl}\p{Zp}\p{Cf}\p{DI}\u2800]/gu;
const TURNS = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/; // ends a line, or changes the order of a text
const UNSEEN = /^[\p{Zs}\p{Cf}\p{DI}\u2800]+$/u;
const CONTROLS = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");
CONTROLS[0x7f] = "DEL";
const pointOf = (c) => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

function addText(to, text, white) {
  // A token of such alone would not be seen at all.
  const showAll = white || (/[^ ]/.test(text) && UNSEEN.test(text));
  let at = 0;
  for (const match of text.matchAll(MARKED)) {
    to.append(text.slice(at, match.index));
    at = match.index + match[0].length;
    const c = match[0];
    if (c === " ") to.append(white ? element("i", "w space", c) : c);
    else if (c === "\t") to.append(white ? element("i", "w tab", c) : c);
    else if (c.endsWith("\n")) to.append(white && c !== "\n" ? element("i", "x", "CR") : "", element("i", white ? "w line" : "line"), "\n");
    else if (CONTROLS[c.charCodeAt(0)]) to.append(element("i", "x", CONTROLS[c.charCodeAt(0)]));
    else if (c < "\xa0" || TURNS.test(c) || showAll) to.append(element("i", "x", pointOf(c)));
    else to.append(c);
  }
  to.append(text.slice(at));
}

// A token as it is seen: a character whose bytes are in several tokens is seen in the first of them.
function addToken(to, tokens, n, white) {
  const plain = whole(tokens.bytesOf(tokens.numbers[n]));
  if (plain !== null) return addText(to, plain, white);
  const bytes = tokens.all(), end = tokens.ends[n + 1];
  for (let at = tokens.ends[n]; at < end; ) {
    const length = characterAt(bytes, at);
    if (length) {
      addText(to, whole(bytes.subarray(at, at + length)), white);
      at += length;
      continue;
    }
    let inside = false;
    for (let back = 1; back < 4 && at >= back; back++) if (characterAt(bytes, at - back) > back) inside = true;
    const chip = element("i", inside ? "x part" : "x", inside ? "⋯" : toHex(bytes.subarray(at, at + 1)));
    if (inside) chip.ariaHidden = "true"; // the character has been read
    to.append(chip);
    at++;
  }
}

// A token for those who hear it: blanks at its ends have names.
const BLANK_ENDS = /^[\s\p{Cc}\p{Cf}\p{DI}]+|[\s\p{Cc}\p{Cf}\p{DI}]+$/gu;
const BLANKS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;
const NAMES = { " ": ["space", "spaces"], "\n": ["newline", "newlines"], "\t": ["tab", "tabs"], "\r": ["carriage return", "carriage returns"] };
function named(blanks) {
  const out = [];
  for (const [run] of blanks.matchAll(/(.)\1*/gsu)) {
    const c = String.fromCodePoint(run.codePointAt(0)), count = run.length / c.length;
    const name = CONTROLS[c.charCodeAt(0)] || pointOf(c), names = NAMES[c] || [name, name];
    out.push(count === 1 ? names[0] : `${count} ${names[1]}`);
  }
  return out.join(", ");
}
function spoken(bytes) {
  const text = whole(bytes);
  if (text === null) return `bytes ${hexOf(bytes)}`;
  return text.replace(BLANK_ENDS, (run) => ` ${named(run)} `).replace(BLANKS, " ").trim();
}
