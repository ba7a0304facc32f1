// The scenario bar: record what is done on the page, play YAML, step through it, export it.
import { on, send } from "./link.js";
import { make, word } from "./words.js";

let recording = false, speedNow = "1", playing = { on: false, line: 0 };

export function draw() {
  const bar = document.querySelector("#bar"), script = document.querySelector("#script");
  const focused = document.activeElement.closest("#bar, .speeds") ? document.activeElement.dataset.testid : null;
  const button = (name, click, more = {}) => make("button", { test: `scenario-${name}`, text: word(name), click, ...more });
  const speeds = [["1", "x1"], ["10", "x10"], ["max", "max"]].map(([value, name]) => make("button", {
    test: `speed-${value}`, text: word(name), pressed: speedNow === value, title: value === "max" ? word("maxHelp") : "", click: () => send({ speed: value }) }));
  bar.replaceChildren(
    button("record", () => send({ record: !recording }), { pressed: recording }), button("stop", () => send({ stop: true })),
    button("play", () => send({ play: script.value }), { title: word("playHelp"), pressed: playing.on }), button("step", () => send({ step: script.value })),
    button("export", save));
  document.querySelector("#scenario .speeds").replaceChildren(...speeds);
  script.placeholder = word("script");
  if (focused) document.querySelector(`[data-testid="${focused}"]`)?.focus();
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([document.querySelector("#script").value], { type: "application/yaml" }));
  link.download = "scenario.yaml";
  link.click();
  URL.revokeObjectURL(link.href);
}

export function speed(value) {
  if (value === speedNow) return;
  speedNow = value;
  draw();
}

function progress(text, name = "") {
  const line = document.querySelector("#progress");
  line.textContent = text;
  line.className = name;
}

on("recording", (message) => {
  recording = message.on;
  if (message.yaml !== undefined) document.querySelector("#script").value = message.yaml;
  progress(recording ? word("recording") : "");
  draw();
});
on("playing", (message) => {
  playing = message;
  if (message.on) progress(word("atLine", message.line));
  else if (message.failure) progress(message.failure, "failed");
  else if (message.done) progress(word(message.all ? "played" : "stepped", message.line), "passed");
  draw();
});
