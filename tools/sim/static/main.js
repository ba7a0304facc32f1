// The page of the simulator: every region is a module; all of them speak through link.js.
import * as device from "./device.js";
import * as faults from "./faults.js";
import * as host from "./host.js";
import { connect, on, send } from "./link.js";
import * as paper from "./paper.js";
import * as scenario from "./scenario.js";
import * as timeline from "./timeline.js";
import { ask, toast } from "./toast.js";
import * as tray from "./tray.js";
import { language, speak, word } from "./words.js";

let state = { on: false, ready: false, trouble: "", language: "zh", speed: "1" };
const find = (selector) => document.querySelector(selector);

function drawState() {
  find("#hint").innerHTML = word(!state.ready ? "starting" : state.on ? "hint" : "unpowered");
  const power = find("#power");
  power.textContent = word(state.on ? "powerOff" : "powerOn");
  find("#device").classList.toggle("off", !state.on);
  find("#device").dataset.state = !state.ready ? "starting" : state.on ? "on" : "off";
  const lines = state.trouble.trim().split("\n");
  find("#trouble").hidden = !state.trouble;
  find("#trouble p").textContent = lines.length > 1 ? word("crashed", lines.at(-1)) : lines[0];
  find("#trouble pre").textContent = state.trouble;
  find("#trouble details").hidden = lines.length < 2;
  find("#trouble button").hidden = state.on;
}

function drawWords() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", word(element.dataset.label));
  find("#language").textContent = word("other");
  drawState();
  for (const room of [tray, faults, host, timeline, scenario]) room.draw();
}

device.build();
paper.build();
timeline.build();
// After a click with the mouse the keyboard is the terminal's again.
addEventListener("click", (event) => { if (event.detail) event.target.closest("button, summary")?.blur(); });
find("#language").onclick = async () => {
  if (await ask(word("anew"))) send({ language: language() === "zh" ? "en" : "zh" });
};
find("#power").onclick = () => send({ power: !state.on });
find("#trouble button").onclick = () => send({ power: true });
on("error", (message) => toast(message.text, "error"));
on("down", () => toast(word("lost"), "error"));
on("new", () => on.isNew = true);
on("state", (message) => {
  if (message.trouble && message.trouble !== state.trouble) toast(message.trouble.trim().split("\n").at(-1), "error");
  const spoke = message.language !== state.language;
  state = message;
  scenario.speed(state.speed);
  if (spoke) { speak(state.language); drawWords(); } else drawState();
  if (on.isNew && state.ready && !state.trouble) { on.isNew = false; toast(word("isNew")); }
});
on("lamps", (message) => device.lamps(message.colours));
on("tone", (message) => device.tone(message.frequency, message.on));
on("placed", (message) => device.placed(message));
speak("zh");
drawWords();
connect();
