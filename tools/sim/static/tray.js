// The card tray and the phones: a card's face says PAN, PIN, interface and purpose in one sentence.
import { next } from "./faults.js";
import { act, on } from "./link.js";
import { language, make, word } from "./words.js";

let deck = [];
let placed = { inserted: null, tapped: [] };

// The ways to use a card now. After one of them the keyboard is the terminal's: ENTER must not pull.
function buttons(card) {
  const made = [];
  const at = () => (next.pull === null ? {} : { at: next.pull });
  const add = (label, test, action) => made.push(make("button", { test: `${test}-${card.name}`, text: word(label), click: (event) => { event.target.blur(); act(action()); } }));
  if (card.phone) {
    if (placed.tapped.includes(card.name)) add("away", "away", () => ({ card: { remove: card.name } }));
    else add("tap", "tap", () => ({ phone: { tap: card.name } }));
    add("show", "show", () => ({ phone: { show: card.name } }));
    add("scan", "scan", () => ({ phone: { scan: card.name } }));
    return made;
  }
  if (card.contact && placed.inserted === card.name) add("pull", "remove", () => ({ card: { remove: card.name } }));
  else if (card.contact) add("insert", "insert", () => ({ card: { insert: card.name, ...at() } }));
  if (card.contactless && placed.tapped.includes(card.name)) add("away", "away", () => ({ card: { remove: card.name } }));
  else if (card.contactless) add("tap", "tap", () => ({ card: { tap: card.name, ...at() } }));
  return made;
}

function face(card) {
  const ways = card.contact && card.contactless ? "both" : card.contact ? "chip" : "tapOnly";
  const number = deck.filter((other) => !other.phone).indexOf(card) + 1;
  const pins = [card.pin && `${word("pin")} ${card.pin}`, card.offline_pin && `${word("offlinePin")} ${card.offline_pin}`, `${word("expires")} ${card.expiry}`];
  const item = make("li", { test: `card-${card.name}`, name: "card" },
    make("b", { text: card.phone ? card.name : `${number}  ${card.name}` }, make("small", { text: word(ways) })),
    make("code", { text: card.pan }), make("code", { text: pins.filter(Boolean).join("  ") }),
    make("p", { text: card.purpose[language()] }), make("div", {}, ...buttons(card)));
  item.classList.toggle("used", placed.inserted === card.name || placed.tapped.includes(card.name));
  return item;
}

export function draw() {
  for (const [list, phones] of [["#cards", false], ["#phones", true]]) {
    document.querySelector(list).replaceChildren(...deck.filter((card) => card.phone === phones).map(face));
  }
}

on("deck", (message) => { deck = message.cards; draw(); });
on("placed", (message) => { placed = message; draw(); });
