// The card tray and the phones: a card's face says PAN, PIN, interface and purpose in one sentence.
import { act, on } from "./link.js";
import { language, word } from "./words.js";

let deck = [];
const placed = { inserted: null, tapped: [] };

function buttons(card) {
  const made = [];
  const add = (label, action, name) => {
    const button = document.createElement("button");
    button.textContent = word(label); button.dataset.testid = `${name}-${card.name}`;
    button.onclick = () => act(card.phone ? { phone: action } : { card: action });
    made.push(button);
  };
  if (card.contact) {
    if (placed.inserted === card.name) add("pull", { remove: card.name }, "remove");
    else add("insert", { insert: card.name }, "insert");
  }
  if (card.contactless) {
    if (placed.tapped.includes(card.name)) {
      const button = document.createElement("button");
      button.textContent = word("away"); button.dataset.testid = `away-${card.name}`;
      button.onclick = () => act({ card: { remove: card.name } });
      made.push(button);
    } else add("tap", { tap: card.name }, "tap");
  }
  return made;
}

export function draw() {
  for (const [list, phones] of [["#cards", false], ["#phones", true]]) {
    const element = document.querySelector(list);
    element.replaceChildren(...deck.filter((card) => card.phone === phones).map((card) => {
      const item = document.createElement("li");
      item.className = "card"; item.dataset.testid = `card-${card.name}`;
      item.classList.toggle("used", placed.inserted === card.name || placed.tapped.includes(card.name));
      const head = document.createElement("b"), face = document.createElement("code"), text = document.createElement("p");
      head.textContent = card.name;
      face.textContent = `${card.face}  PIN ${card.pin}`;
      text.textContent = card.purpose[language()];
      item.append(head, face, text, ...buttons(card));
      return item;
    }));
  }
}

on("deck", (message) => { deck = message.cards; draw(); });
on("placed", (message) => { Object.assign(placed, message); draw(); });
