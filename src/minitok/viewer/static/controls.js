// Buttons, keys, pointers; a text that is typed; and the beginning of it all.

function toggle(id) {
  const on = $(id).ariaPressed !== "true";
  $(id).ariaPressed = String(on);
  if (id !== "white") return void document.body.classList.toggle(id, on);
  state.white = on;
  const focused = placeOf(document.activeElement.closest(".t"));
  state.rows.forEach((row) => row.full && fill(row));
  if (focused) focusOn(focused.j, focused.n);
}

const dark = matchMedia("(prefers-color-scheme: dark)"), THEMES = ["auto", "light", "dark"];
let theme = "auto";
function paint() {
  document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "auto" && dark.matches));
  $("theme").textContent = `Theme: ${theme}`;
}
function turn() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % 3];
  paint();
}
dark.addEventListener("change", paint);

// Keys of one character, and what each does the work of. Who speaks to the computer can switch them off (WCAG 2.1.4).
const KEYS = { w: "white", s: "special", i: "numbers", t: "theme", "?": "help", "/": "query" };
function work(id) {
  if (id !== "query") return void $(id).click();
  $(id).focus();
  $(id).select();
}
function hint() {
  const on = $("single").checked;
  for (const [key, id] of Object.entries(KEYS)) $(id).title = on ? key : "";
  $("query").placeholder = on ? "Search  ( / )" : "Search";
}
$("single").addEventListener("change", hint);

for (const id of ["white", "special", "numbers"]) $(id).addEventListener("click", () => toggle(id));
$("theme").addEventListener("click", turn);
$("help").addEventListener("click", () => $("keys").showModal());
$("known").addEventListener("click", () => $("keys").close());
$("query").addEventListener("input", search);
$("by").addEventListener("change", search);
$("previous").addEventListener("click", () => nextHit(-1));
$("next").addEventListener("click", () => nextHit(1));
$("query").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.isComposing) nextHit(e.shiftKey ? -1 : 1);
});

const tokenOf = (e) => placeOf(e.target.closest(".t"));
const isCurrent = (at) => state.current?.j === at.j && state.current.n === at.n;
function press(at) {
  if (state.pinned && isCurrent(at)) return closeDetails();
  state.x = null;
  choose(at.j, at.n);
}
$("rows").addEventListener("pointerover", (e) => {
  const at = tokenOf(e);
  if (at && !state.pinned && e.pointerType === "mouse") describe(at.j, at.n);
});
$("rows").addEventListener("click", (e) => {
  const at = tokenOf(e);
  if (at && getSelection().isCollapsed) press(at);
});
$("rows").addEventListener("focusin", (e) => {
  const at = tokenOf(e);
  if (at && !state.focusing && e.target.matches(":focus-visible") && !isCurrent(at)) choose(at.j, at.n, { focus: false });
});

document.addEventListener("keydown", (e) => {
  if (e.altKey || e.isComposing || $("keys").open) return;
  if (e.target.closest("input, textarea, select")) {
    if (e.key === "Escape" && state.current) closeDetails();
    return;
  }
  const span = e.target.closest(".t");
  if (span && (e.key === "Enter" || e.key === " ")) press(placeOf(span));
  else if (e.ctrlKey || e.metaKey) {
    if (!["Home", "End"].includes(e.key) || !move(e.key, true)) return;
  } else if (e.key === "Escape") closeDetails();
  else if ($("single").checked && Object.hasOwn(KEYS, e.key)) work(KEYS[e.key]);
  else if (e.shiftKey || !move(e.key, false)) return;
  e.preventDefault();
});

const header = document.querySelector("header");
new ResizeObserver(() => document.body.style.setProperty("--top", `${header.offsetHeight}px`)).observe(header);
new ResizeObserver(() => $("rows").clientWidth !== state.width && arrange()).observe($("rows"));

function listen(limit) {
  const typed = $("typed"), trouble = (text) => { $("trouble").textContent = text; };
  let asked = 0, timer = 0, heard = 0;
  const ask = async () => {
    const mine = ++asked, body = new TextEncoder().encode(typed.value);
    if (body.length > limit) {
      return trouble(`The text has ${body.length.toLocaleString("en")} bytes; at most ${limit.toLocaleString("en")} are taken.`);
    }
    try {
      const answer = await fetch("/tokens", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body });
      const text = await answer.text();
      if (mine !== asked) return;
      trouble(answer.ok ? "" : text);
      if (!answer.ok) return;
      const counts = show(JSON.parse(text));
      clearTimeout(heard);
      heard = setTimeout(say, 800, counts); // when one has stopped to type
    } catch {
      trouble("The server does not answer; is it still running?");
    }
  };
  typed.hidden = false;
  typed.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 60);
  });
}

const data = JSON.parse($("data").textContent);
paint();
hint();
show(data);
if (data.live) {
  $("typed").value = data.text;
  listen(data.limit);
}
