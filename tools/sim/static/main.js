// The page of the simulator: every region is a module; all of them speak through link.js.
import * as device from "./device.js";
import * as faults from "./faults.js";
import * as host from "./host.js";
import { act, connect, on, send } from "./link.js";
import * as paper from "./paper.js";
import * as scenario from "./scenario.js";
import * as timeline from "./timeline.js";
import * as tray from "./tray.js";
import { language, speak, word } from "./words.js";

let powered = true;

function toast(text) {
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast"; box.setAttribute("role", "alert"); box.dataset.testid = "toast"; box.textContent = text;
  document.body.append(box);
  setTimeout(() => box.remove(), 5000);
}

function drawWords() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  document.querySelector("#hint").textContent = word("hint");
  const power = document.querySelector("#power");
  power.textContent = word(powered ? "powerOff" : "powerOn");
  power.setAttribute("aria-pressed", String(!powered));
  for (const room of [tray, faults, host, timeline, scenario]) room.draw();
}

device.build();
paper.build();
document.querySelector("#language").onclick = () => {
  speak(language() === "zh" ? "en" : "zh"); drawWords(); send({ language: language() });
};
document.querySelector("#power").onclick = () => act({ power: powered ? { cut: "now" } : "on" });
on("error", (message) => toast(message.text));
on("down", () => toast(word("lost")));
on("power", (message) => { powered = message.on; drawWords(); });
on("lamps", (message) => device.lamps(message.colours));
on("tone", (message) => device.tone(message.frequency, message.on));
on("placed", (message) => device.slot(message.inserted));
on("language", (message) => { speak(message.language); drawWords(); });
speak("zh");
drawWords();
connect();
