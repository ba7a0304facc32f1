// The terminal itself: display, lamps, keypad (mouse, touch and the PC's keyboard), slot, beeps.
import { on, send } from "./link.js";

const KEYS = [
  ["1", "2", "3", "CANCEL", "UP"], ["4", "5", "6", "CLEAR", "DOWN"],
  ["7", "8", "9", "MENU", "FUNC"], ["00", "0", ".", "ENTER", null],
];
const FACES = { CANCEL: "取消", CLEAR: "清除", ENTER: "确认", MENU: "菜单", FUNC: "功能", UP: "↑", DOWN: "↓" };
const SMALL = { CANCEL: "CANCEL", CLEAR: "CLEAR", ENTER: "ENTER", MENU: "MENU", FUNC: "FUNC" };
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
  for (const key of KEYS.flat()) {
    if (!key) { pad.append(document.createElement("span")); continue; }
    const button = document.createElement("button");
    button.className = key;
    button.dataset.testid = `key-${key}`;
    button.innerHTML = `${FACES[key] || key}${SMALL[key] ? `<small>${SMALL[key]}</small>` : ""}`;
    button.onpointerdown = (event) => { button.setPointerCapture(event.pointerId); press(key, button); };
    button.onpointerup = button.onpointercancel = () => release(key, button);
    button.onkeydown = (event) => { if (event.key === " ") press(key, button); };
    button.onkeyup = (event) => { if (event.key === " ") release(key, button); };
    pad.append(button);
  }
  const button = (key) => pad.querySelector(`[data-testid="key-${key}"]`);
  const map = (event) => (/^[0-9]$/.test(event.key) ? event.key : KEYBOARD[event.key]);
  const typing = (event) => /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]")
    || (event.target.tagName === "BUTTON" && event.key === "Enter" && !pad.contains(event.target));
  addEventListener("keydown", (event) => {
    const key = map(event);
    if (!key || event.repeat || event.ctrlKey || event.metaKey || typing(event)) return;
    event.preventDefault();
    press(key, button(key));
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

export function lamps(colours) {
  document.querySelectorAll("#lamps i").forEach((lamp, index) => {
    const [red, green, blue] = colours[index] || [0, 0, 0];
    const lit = red + green + blue > 0;
    const full = Math.max(red, green, blue, 1);
    lamp.style.background = lit ? `rgb(${[red, green, blue].map((part) => Math.round((part / full) * 255))})` : "";
    lamp.style.boxShadow = lit ? `0 0 12px rgb(${red * 4},${green * 4},${blue * 4})` : "";
    lamp.dataset.lit = lit ? "1" : "0";
  });
}

let audio;
export function tone(frequency, on_) {
  if (!navigator.userActivation?.hasBeenActive) return;
  audio ||= new AudioContext();
  if (tone.source) { tone.source.stop(); tone.source = null; }
  if (!on_ || !frequency) return;
  const source = audio.createOscillator(), gain = audio.createGain();
  source.type = "square"; source.frequency.value = frequency; gain.gain.value = 0.04;
  source.connect(gain).connect(audio.destination); source.start();
  tone.source = source;
}

export function slot(name) {
  const element = document.querySelector("#slot");
  element.classList.toggle("full", Boolean(name));
  element.dataset.card = name || "";
}
