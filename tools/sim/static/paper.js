// The paper: rows of 384 dots come as 48 bytes each and are drawn as they arrive.
import { on, send } from "./link.js";

const canvas = document.querySelector("#paper");
let rows = [];

function draw(from) {
  const kept = from ? canvas.getContext("2d").getImageData(0, 0, 384, from) : null;
  canvas.height = rows.length;
  const context = canvas.getContext("2d");
  if (kept) context.putImageData(kept, 0, 0);
  const count = rows.length - from;
  if (count <= 0) return;
  const image = context.createImageData(384, count);
  for (let y = 0; y < count; y++) {
    for (let x = 0; x < 384; x++) {
      const black = rows[from + y][x >> 3] & (0x80 >> (x & 7));
      const at = (y * 384 + x) * 4;
      image.data[at] = image.data[at + 1] = image.data[at + 2] = black ? 20 : 255;
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, from);
  document.querySelector("#roll").scrollTop = 0;
}

on("rows", (bytes) => {
  const from = rows.length;
  for (let at = 0; at + 48 <= bytes.length; at += 48) rows.push(bytes.slice(at, at + 48));
  draw(from);
});
on("torn", () => { rows = []; canvas.height = 0; });
on("up", () => { rows = []; canvas.height = 0; });
on("paper-text", ({ text }) => navigator.clipboard?.writeText(text));

export function build() {
  document.querySelector("#tear").onclick = () => send({ tear: true });
  document.querySelector("#copy").onclick = () => send({ paper: "text" });
  document.querySelector("#save").onclick = () => {
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/png"); link.download = "receipt.png"; link.click();
  };
}
