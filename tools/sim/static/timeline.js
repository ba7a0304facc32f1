// The timeline: lanes, filter, search, decoded details, and a link to a moment (#t=microseconds).
import { on, send } from "./link.js";
import { word } from "./words.js";

const LANES = ["key", "screen", "apdu", "iso", "print", "flash", "fault"];
const KEPT = 2000;
let events = [], lane = null, filter = "";
const list = () => document.querySelector("#events");
const seconds = (microseconds) => (microseconds / 1e6).toFixed(3);

function brief(event) {
  if (event.kind === "apdu") return `${event.interface === "contactless" ? ")))" : "▭"} ${event.name || ""} ${event.command} → ${event.response}`;
  if (event.kind === "iso") return `${event.direction === "request" ? "→" : "←"} ${event.mti} ${event.name || ""} ${event.fields?.["39"] ? `39=${event.fields["39"]}` : ""}`;
  const { t, kind, ...rest } = event;
  return rest.text ?? Object.entries(rest).map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`).join(" ");
}

function shown(event) {
  return (!lane || event.kind === lane) && (!filter || JSON.stringify(event).toLowerCase().includes(filter));
}

function row(event) {
  const item = document.createElement("li");
  item.className = event.kind; item.tabIndex = 0; item.dataset.kind = event.kind; item.dataset.t = event.t;
  for (const [tag, text] of [["time", seconds(event.t)], ["span", word(event.kind)], ["span", brief(event)]]) {
    const cell = document.createElement(tag); cell.textContent = text; item.append(cell);
  }
  item.children[1].className = "kind";
  item.onclick = () => open(event);
  item.onkeydown = (press) => { if (press.key === "Enter") { press.stopPropagation(); open(event); } };
  return item;
}

function open(event) {
  history.replaceState(null, "", `#t=${event.t}`);
  send({ decode: event });
  list().querySelector(".here")?.classList.remove("here");
  list().querySelector(`[data-t="${event.t}"]`)?.classList.add("here");
}

function fill() {
  list().replaceChildren(...events.filter(shown).slice(-400).map(row));
  list().scrollTop = list().scrollHeight;
  const moment = location.hash.match(/^#t=(\d+)/)?.[1];
  const here = moment && list().querySelector(`[data-t="${moment}"]`);
  if (here) { here.classList.add("here"); here.scrollIntoView({ block: "center" }); }
}

export function draw() {
  document.querySelector("#lanes").replaceChildren(...["all", ...LANES].map((name) => {
    const button = document.createElement("button");
    button.textContent = word(name); button.dataset.testid = `lane-${name}`;
    button.setAttribute("aria-pressed", String((lane ?? "all") === name));
    button.onclick = () => { lane = name === "all" ? null : name; draw(); };
    return button;
  }));
  const search = document.querySelector("#search");
  search.placeholder = word("search");
  search.oninput = () => { filter = search.value.toLowerCase(); fill(); };
  fill();
}

on("events", (message) => {
  events.push(...message.events);
  if (events.length > KEPT) events = events.slice(-KEPT);
  const element = list(), atEnd = element.scrollTop + element.clientHeight > element.scrollHeight - 40;
  for (const event of message.events.filter(shown)) element.append(row(event));
  while (element.children.length > 400) element.firstChild.remove();
  if (atEnd) element.scrollTop = element.scrollHeight;
});
on("up", () => { events = []; list().replaceChildren(); });
on("decoded", ({ title, hex, rows }) => {
  const dialog = document.querySelector("#detail"), body = dialog.querySelector("div");
  body.replaceChildren();
  const heading = document.createElement("h3"); heading.textContent = title; body.append(heading);
  for (const dump of hex) { const pre = document.createElement("pre"); pre.textContent = dump; body.append(pre); }
  const table = document.createElement("table");
  for (const cells of rows) {
    const line = document.createElement("tr");
    for (const text of cells) { const cell = document.createElement("td"); cell.textContent = text; line.append(cell); }
    table.append(line);
  }
  body.append(table);
  if (!dialog.open) dialog.showModal();
});
document.querySelector("#detail > button").onclick = () => document.querySelector("#detail").close();
