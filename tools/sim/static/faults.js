// Faults are one click each; the active ones stand as chips in the header.
import { act, on } from "./link.js";
import { word } from "./words.js";

const DRAWER = {
  network: ["off", "mute", "reset", "dns", "expired", "wrong-host", ["latency", { latency: 2000 }], ["loss", { loss: 20 }]],
  paper: ["out", "near-end", "open", "hot", ["silentPrinter", "silent"], ["jam", { jam: 5 }]],
  reader: ["mute"],
};
let active = {};

export function draw() {
  const drawer = document.querySelector("#drawer");
  drawer.replaceChildren();
  const heading = (name) => { const h3 = document.createElement("h3"); h3.textContent = word(name); drawer.append(h3); };
  const button = (label, test, pressed, action) => {
    const made = document.createElement("button");
    made.textContent = word(label); made.dataset.testid = test;
    made.setAttribute("aria-pressed", String(pressed)); made.onclick = action;
    drawer.append(made);
  };
  for (const [name, kinds] of Object.entries(DRAWER)) {
    heading(name);
    for (const kind of kinds) {
      const [label, value] = Array.isArray(kind) ? kind : [kind, kind];
      const pressed = name in active && JSON.stringify(active[name]) === JSON.stringify(value);
      button(label, `fault-${name}-${label}`, pressed, () => act(pressed ? { "clear-fault": name } : { fault: { [name]: value } }));
    }
  }
  heading("power");
  button("powerOff", "fault-power-now", false, () => act({ power: { cut: "now" } }));
  button("cut-write", "fault-power-write", false, () => act({ power: { cut: { "at-write": 5 } } }));
  document.querySelector("#chips").replaceChildren(...Object.entries(active).map(([name, value]) => {
    const chip = document.createElement("li");
    chip.textContent = `${word(name)}: ${typeof value === "string" ? word(value) : word(Object.keys(value)[0])}`;
    return chip;
  }));
}

on("faults", (message) => { active = message.active; draw(); });
