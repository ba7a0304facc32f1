// The scenario bar: record what is done on the page, play YAML, step through it, export it.
import { on, send } from "./link.js";
import { word } from "./words.js";

let recording = false;

export function draw() {
  const bar = document.querySelector("#bar"), script = document.querySelector("#script");
  bar.replaceChildren();
  const button = (name, action, pressed) => {
    const made = document.createElement("button");
    made.textContent = word(name); made.dataset.testid = `scenario-${name}`;
    if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
    made.onclick = action; bar.append(made);
  };
  button("record", () => send({ record: !recording }), recording);
  button("stop", () => send({ stop: true }));
  button("play", () => send({ play: script.value }));
  button("step", () => send({ step: script.value }));
  button("export", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([script.value], { type: "application/yaml" }));
    link.download = "scenario.yaml"; link.click();
  });
}

on("recording", (message) => { recording = message.on; if (message.yaml !== undefined) document.querySelector("#script").value = message.yaml; draw(); });
