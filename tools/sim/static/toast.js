// Words that come and go, and the one question the page asks.
import { make } from "./words.js";

const STAYS = 6000;

export function toast(text, kind = "") {
  const box = make("div", { test: "toast", text, name: `toast ${kind}` });
  const all = document.querySelector("#toasts");
  all.append(box);
  while (all.children.length > 3) all.firstChild.remove();
  setTimeout(() => box.remove(), STAYS);
}

// Resolves to true or false: what was answered.
export function ask(text) {
  const dialog = document.querySelector("#confirm");
  dialog.querySelector("p").textContent = text;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "";
    dialog.querySelector("[data-testid=confirm-yes]").onclick = () => dialog.close("yes");
    dialog.querySelector("[data-testid=confirm-no]").onclick = () => dialog.close("");
  });
}
