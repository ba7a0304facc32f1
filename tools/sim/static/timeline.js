// The timeline: lanes, search, decoded details, and a link to a moment: #t=microseconds.nth of them.
import { on, send } from "./link.js";
import { toast } from "./toast.js";
import { make, word } from "./words.js";

const LANES = {
  key: ["key"], screen: ["reading"], apdu: ["apdu", "card", "field"], iso: ["iso", "acquirer", "tcp", "tls", "wifi", "host-failed"],
  print: ["print", "printer"], flash: ["flash"], fault: ["fault", "network", "power", "reset", "crash"],
};
const LANE_OF = Object.fromEntries(Object.entries(LANES).flatMap(([lane, kinds]) => kinds.map((kind) => [kind, lane])));
const INSTRUCTIONS = { A4: "SELECT", B2: "READ RECORD", A8: "GPO", AE: "GENERATE AC", 82: "EXTERNAL AUTH", 88: "INTERNAL AUTH", 84: "GET CHALLENGE", CA: "GET DATA", 20: "VERIFY", C0: "GET RESPONSE" };
const KEPT = 5000, SHOWN = 400;
let events = [], lane = "", wanted = "", opened = null;
const list = () => document.querySelector("#events");
const here = () => list().querySelector(".here");

function brief(event) {
  const { t, kind, chip, ...rest } = event;
  if (kind === "apdu") return `${event.interface === "contactless" ? "))) " : "▭ "}${INSTRUCTIONS[event.command.slice(2, 4)] || event.command.slice(0, 8)} → ${event.response.slice(-4)}  ${event.command}`;
  if (kind === "iso") return [event.direction === "request" ? "→" : "←", event.mti, event.fields["4"] && (Number(event.fields["4"]) / 100).toFixed(2), event.fields["39"] && `39=${event.fields["39"]}`, event.reason].filter(Boolean).join("  ");
  if (kind === "key") return `${event.key} ${event.down ? "↓" : "↑"}`;
  if (kind === "card") return `${event.interface === "contactless" ? ")))" : "▭"} ${event.name} ${event.action}`;
  if (kind === "flash") return `${event.operation} ${event.partition} ${event.address} +${event.length}`;
  if (kind === "crash") return event.error.trim().split("\n").at(-1);
  return rest.text ?? Object.entries(rest).map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`).join("  ");
}

const shown = (event) => (!lane || LANE_OF[event.kind] === lane) && (!wanted || JSON.stringify(event).toLowerCase().includes(wanted));

function row(event) {
  const item = make("li", { name: `lane-${LANE_OF[event.kind] || "other"}`, click: () => open(event, item) },
    make("time", { text: (event.t / 1e6).toFixed(3) }), make("span", { text: word(event.kind), name: "kind" }), make("span", { text: brief(event) }));
  item.role = "option";
  item.dataset.kind = event.kind;
  item.dataset.t = event.t;
  item.event = event;
  return item;
}

function mark(item) {
  here()?.classList.remove("here");
  item?.classList.add("here");
  item?.scrollIntoView({ block: "nearest" });
}

const link = (event) => `#t=${event.t}.${events.filter((other) => other.t === event.t).indexOf(event)}`;

function open(event, item) {
  opened = event;
  mark(item);
  history.replaceState(null, "", link(event));
  send({ decode: event });
}

function fill() {
  const all = events.filter(shown);
  const [, moment, nth = 0] = location.hash.match(/^#t=(\d+)(?:\.(\d+))?$/) || [];
  const exact = events.filter((event) => event.t === Number(moment))[nth];
  const at = exact && shown(exact) ? all.indexOf(exact) : moment ? all.findIndex((event) => event.t >= Number(moment)) : -1;
  const from = at >= 0 && at < all.length - SHOWN ? Math.max(0, at - SHOWN / 2) : Math.max(0, all.length - SHOWN);
  list().replaceChildren(...all.slice(from, from + SHOWN).map(row));
  const linked = at >= 0 && list().children[at - from];
  if (linked) { mark(linked); linked.scrollIntoView({ block: "center" }); } else list().scrollTop = list().scrollHeight;
}

export function draw() {
  document.querySelector("#lanes").replaceChildren(...["", ...Object.keys(LANES)].map((name) => make("button", {
    test: `lane-${name || "all"}`, text: word(name || "all"), pressed: lane === name, click: () => { lane = name; draw(); document.querySelector(`[data-testid="lane-${name || "all"}"]`).focus(); } })));
  const search = document.querySelector("#search");
  search.placeholder = word("search");
  search.setAttribute("aria-label", word("search"));
  fill();
}

function moveWithKeys(press) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[press.key];
  if (step) { press.preventDefault(); mark(here()?.[step] || here() || list().lastElementChild); }
  if (press.key === "Enter" && here()) { press.preventDefault(); open(here().event, here()); }
}

export function build() {
  const dialog = document.querySelector("#detail");
  document.querySelector("#search").oninput = (input) => { wanted = input.target.value.toLowerCase(); fill(); };
  list().onkeydown = moveWithKeys;
  dialog.querySelector(".close").onclick = () => dialog.close();
  dialog.onclick = (click) => { if (click.target === dialog) dialog.close(); };
  document.querySelector("#copy-link").onclick = async () => { await navigator.clipboard.writeText(location.href.split("#")[0] + link(opened)); toast(word("copied")); };
  addEventListener("hashchange", fill);
}

on("events", ({ events: fresh }) => {
  events.push(...fresh);
  if (events.length > KEPT + 1000) events = events.slice(-KEPT);
  const element = list(), atEnd = element.scrollTop + element.clientHeight > element.scrollHeight - 40;
  const first = !element.children.length;
  element.append(...fresh.filter(shown).slice(-SHOWN).map(row));
  while (element.children.length > SHOWN) element.firstChild.remove();
  if (first && location.hash) fill(); else if (atEnd) element.scrollTop = element.scrollHeight;
});
for (const beginning of ["up", "new"]) on(beginning, () => { events = []; list().replaceChildren(); });

on("decoded", ({ title, hex, rows }) => {
  const dialog = document.querySelector("#detail");
  dialog.querySelector("h3").textContent = `${title}   ${opened ? (opened.t / 1e6).toFixed(6) + " s" : ""}`;
  const dumps = hex.map(([name, dump]) => make("pre", {}, make("b", { text: name }), make("span", { text: dump })));
  const lines = rows.map(([tag, name, value]) => {
    const [plain, words] = value.split(/ {3}(.*)/s);
    const cell = make("td", { text: plain });
    if (words) cell.append(make("em", { text: words }));
    return make("tr", {}, make("td", { text: tag }), make("td", { text: name }), cell);
  });
  dialog.lastElementChild.replaceChildren(...dumps, make("table", {}, ...lines));
  if (!dialog.open) dialog.showModal();
});
