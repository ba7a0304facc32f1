// Faults are one click each; whatever is wrong on purpose stands as a chip in the header.
import { act, on } from "./link.js";
import { make, word } from "./words.js";

const DRAWER = {
  network: ["off", "mute", "reset", "dns", "expired", "wrong-host", "untrusted", { latency: 2000 }, { loss: 20 }],
  paper: ["out", "near-end", "open", "hot", ["printerSilent", "silent"], { jam: 12 }],
  reader: [["readerMute", "mute"]],
};
let active = {}, host = [], cut = null;
// The APDU at which the next card is pulled; the tray adds it to what it inserts or taps.
export const next = { pull: null };

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// A button with a number beside it: `start(n)` is called with the number.
function counted(label, test, value, pressed, start, stop) {
  const input = make("input", { test: `${test}-n`, on: { type: "number", min: 1, value } });
  input.setAttribute("aria-label", word(label));
  const button = make("button", { test, text: word(label), pressed, click: () => (pressed ? stop() : start(Number(input.value))) });
  return make("label", {}, button, input);
}

function one(name, kind) {
  if (typeof kind === "object" && !Array.isArray(kind)) {
    const [[label, preset]] = Object.entries(kind);
    const now = active[name]?.[label];
    return counted(label, `fault-${name}-${label}`, now ?? preset, now !== undefined,
      (value) => act({ fault: { [name]: { [label]: value } } }), () => act({ "clear-fault": name }));
  }
  const [label, value] = Array.isArray(kind) ? kind : [kind, kind];
  const pressed = same(active[name], value);
  return make("button", { test: `fault-${name}-${value}`, text: word(label), pressed, click: () => act(pressed ? { "clear-fault": name } : { fault: { [name]: value } }) });
}

export function draw() {
  const drawer = document.querySelector("#drawer");
  if (drawer.contains(document.activeElement) && document.activeElement.tagName === "INPUT") return drawChips();
  const focused = drawer.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  drawer.replaceChildren();
  for (const [name, kinds] of Object.entries(DRAWER)) {
    drawer.append(make("h3", { text: word(name) }), ...kinds.map((kind) => one(name, kind)));
  }
  drawer.append(
    counted("pullAt", "fault-card-pull", next.pull ?? 9, next.pull !== null, (n) => { next.pull = n; draw(); }, () => { next.pull = null; draw(); }),
    make("h3", { text: word("power") }),
    make("button", { test: "fault-power-now", text: word("powerOff"), click: () => act({ power: { cut: "now" } }) }),
    counted("cutAt", "fault-power-write", cut ?? 20, cut !== null, (n) => act({ power: { cut: { "at-write": n } } }), () => act({ power: { cut: "never" } })),
  );
  for (const [test, value] of [["paper-out", "out"], ["door", "open"]]) {
    const button = document.querySelector(`[data-testid="${test}"]`), pressed = active.paper === value;
    button.setAttribute("aria-pressed", String(pressed));
    button.onclick = () => act(pressed ? { "clear-fault": "paper" } : { fault: { paper: value } });
  }
  if (focused) drawer.querySelector(`[data-testid="${focused}"]`)?.focus();
  drawChips();
}

function drawChips() {
  const chip = (text, clear) => make("li", {}, make("button", { text, click: clear }));
  const amount = (value) => (typeof value === "object" ? Object.entries(value).map(([word_, n]) => `${word(word_)} ${n}`).join() : word(value === "silent" ? "printerSilent" : value));
  const chips = Object.entries(active).map(([name, value]) => chip(`${word(name)}: ${amount(value)}`, () => act({ "clear-fault": name })));
  if (host.length) chips.push(chip(`${word("acquirer")}: ${host.map((code) => (code === "silent" ? word("silent") : code)).join(", ")}`, () => act({ host: "clear" })));
  if (cut !== null) chips.push(chip(`${word("cutAt")} ${cut}`, () => act({ power: { cut: "never" } })));
  if (next.pull !== null) chips.push(chip(`${word("pullAt")} ${next.pull}`, () => { next.pull = null; draw(); }));
  document.querySelector("#chips").replaceChildren(...chips);
}

on("faults", (message) => {
  const before = JSON.stringify([active, host, cut]);
  ({ active, host, cut } = message);
  if (JSON.stringify([active, host, cut]) !== before) draw();
});
