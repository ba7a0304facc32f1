// The terminal itself: display, lamps, keypad (mouse, touch and the PC's keyboard), slot, beeps.
import { on, send } from "./link.js";
import { make, word } from "./words.js";

const KEYS = ["1", "2", "3", "CANCEL", "4", "5", "6", "CLEAR", "7", "8", "9", "MENU", ".", "0", "00", "ENTER", "UP", "DOWN", "FUNC"];
const FACES = { CANCEL: "取消", CLEAR: "清除", ENTER: "确认", MENU: "菜单", FUNC: "功能", UP: "↑", DOWN: "↓" };
const WORDS = ["CANCEL", "CLEAR", "ENTER", "MENU", "FUNC"];
const KEYBOARD = { Enter: "ENTER", Escape: "CANCEL", Backspace: "CLEAR", Delete: "CLEAR", ArrowUp: "UP", ArrowDown: "DOWN", F1: "FUNC", F2: "MENU", ".": "." };
const held = new Set();

function press(key, button) {
  if (held.has(key)) return;
  held.add(key);
  button?.classList.add("down");
  send({ press: key });
}
function release(key, button) {
  if (!held.delete(key)) return;
  button?.classList.remove("down");
  send({ release: key });
}

export function build() {
  const pad = document.querySelector("#keypad");
  for (const key of KEYS) {
    const small = WORDS.includes(key);
    const button = make("button", { test: `key-${key}`, name: `${key} ${small ? "word" : ""}`, text: FACES[key] || key });
    if (small) button.append(make("small", { text: key }));
    button.onpointerdown = (event) => { button.setPointerCapture(event.pointerId); press(key, button); };
    button.onpointerup = button.onpointercancel = () => release(key, button);
    button.onkeydown = (event) => { if (event.key === " ") { event.preventDefault(); press(key, button); } };
    button.onkeyup = (event) => { if (event.key === " ") release(key, button); };
    pad.append(button);
  }
  keyboard((key) => pad.querySelector(`[data-testid="key-${key}"]`), pad);
}

// The PC's keyboard is the terminal's, unless something on the page wants the key for itself.
function keyboard(button, pad) {
  const map = (event) => (/^[0-9]$/.test(event.key) ? event.key : KEYBOARD[event.key]);
  const wanted = ({ target, key }) => target.closest("input, textarea, dialog, #events, #roll") || document.querySelector("dialog[open]")
    || (target.closest("button, summary") && key === "Enter" && !pad.contains(target));
  addEventListener("keydown", (event) => {
    const key = map(event);
    if (!key || event.ctrlKey || event.metaKey || event.altKey || wanted(event)) return;
    event.preventDefault();
    if (!event.repeat) press(key, button(key));
  });
  addEventListener("keyup", (event) => { const key = map(event); if (key) release(key, button(key)); });
  addEventListener("blur", () => { for (const key of [...held]) release(key, button(key)); });
}

on("lcd", async (bytes) => {
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = document.querySelector("#lcd");
  canvas.getContext("2d").drawImage(picture, 0, 0);
  canvas.dataset.frames = Number(canvas.dataset.frames || 0) + 1;
});

on("shown", ({ text }) => document.querySelector("#lcd").setAttribute("aria-label", text));

export function lamps(colours) {
  document.querySelectorAll("#lamps i").forEach((lamp, index) => {
    const [red, green, blue] = colours[index] || [0, 0, 0];
    const full = Math.max(red, green, blue);
    lamp.style.background = full ? `rgb(${[red, green, blue].map((part) => Math.round((part / full) * 255))})` : "";
    lamp.style.boxShadow = full ? `0 0 12px rgb(${[red, green, blue].map((part) => Math.round((part / full) * 200))})` : "";
    lamp.dataset.lit = full ? "1" : "0";
  });
}

// The chip beeps through the speaker, once the page has been touched (browsers want that).
let audio, playing;
export function tone(frequency, sounds) {
  if (!navigator.userActivation?.hasBeenActive) return;
  audio ||= new AudioContext();
  playing?.stop();
  playing = null;
  if (!sounds) return;
  const gain = new GainNode(audio, { gain: 0.03 });
  playing = new OscillatorNode(audio, { type: "square", frequency });
  playing.connect(gain).connect(audio.destination);
  playing.start();
}

export function placed({ inserted, tapped }) {
  const slot = document.querySelector("#slot");
  slot.classList.toggle("full", Boolean(inserted));
  slot.dataset.card = inserted || "";
  slot.firstElementChild.textContent = inserted || "";
  document.querySelector("#near").textContent = tapped.length ? word("inField", tapped.join(" + ")) : "";
}
