// The paper: rows of 384 dots come as 48 bytes each and are drawn as they arrive, newest at the mouth.
import { on, send } from "./link.js";
import { toast } from "./toast.js";
import { word } from "./words.js";

const WIDTH = 384, STEP = 1024, LONGEST = 12288;
const canvas = document.querySelector("#paper");
let rows = [];

function paint(context, from, to, top) {
  const image = context.createImageData(WIDTH, to - from);
  const dots = new Uint32Array(image.data.buffer);
  for (let y = from, at = 0; y < to; y++) {
    for (let x = 0; x < WIDTH; x++, at++) dots[at] = rows[y][x >> 3] & (0x80 >> (x & 7)) ? 0xff201a18 : 0xffffffff;
  }
  context.putImageData(image, 0, top);
}

// The canvas grows by whole steps, since a new height empties it; the strip shows what is printed.
function draw(from) {
  const height = Math.ceil(rows.length / STEP) * STEP;
  if (canvas.height !== height) { canvas.height = height; from = 0; }
  if (rows.length > from) paint(canvas.getContext("2d"), from, rows.length, from);
  const strip = document.querySelector("#strip");
  strip.style.height = `${rows.length}px`;
  canvas.dataset.rows = rows.length;
}

on("rows", (bytes) => {
  let from = rows.length;
  for (let at = 0; at + 48 <= bytes.length; at += 48) rows.push(bytes.slice(at, at + 48));
  if (rows.length > LONGEST) { rows = rows.slice(-LONGEST / 2); from = 0; canvas.height = 0; }
  if (rows.length > from) draw(from);
});
on("torn", () => { rows = []; draw(0); });
on("up", () => { rows = []; draw(0); });
on("paper-text", async ({ text }) => {
  await navigator.clipboard.writeText(text);
  toast(word("copied"));
});

export function build() {
  document.querySelector("#tear").onclick = () => send({ tear: true });
  document.querySelector("#copy").onclick = () => send({ paper: "text" });
  document.querySelector("#save").onclick = () => {
    const picture = document.createElement("canvas");
    picture.width = WIDTH; picture.height = Math.max(1, rows.length);
    if (rows.length) paint(picture.getContext("2d"), 0, rows.length, 0);
    const link = document.createElement("a");
    link.href = picture.toDataURL("image/png"); link.download = "receipt.png"; link.click();
  };
}
