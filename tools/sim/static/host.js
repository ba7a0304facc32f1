// The acquirer's ledger beside the terminal's batch: the difference line, overrides, triggers.
import { act, on } from "./link.js";
import { make, word } from "./words.js";

const SHOWN = 60;
const TRIGGERS = [
  ["8000.NN", "应答码 NN", "response code NN"], ["9101.00", "主机不应答", "host silent"], ["9102.00", "已批准，应答丢失", "approved, the reply is lost"],
  ["9103.00", "超时后才应答", "reply after the time limit"], ["9104.00", "应答的 MAC 错", "bad MAC in the reply"], ["9105.00", "位图错", "malformed bitmap"],
  ["9106.00", "报文中途断开", "reset in mid-frame"], ["9107.00", "重复应答", "duplicate reply"], ["9108.00", "凭证号错", "wrong trace number"],
  ["9109.00", "发卡行密文错", "wrong issuer cryptogram"],
];
let books = null;
const money = (fen) => `${fen < 0 ? "-" : ""}${Math.floor(Math.abs(fen) / 100).toLocaleString("en-US")}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;
const columns = () => (document.documentElement.lang === "en" ? 2 : 1);

function drawDifference() {
  const line = document.querySelector("#difference");
  const owed = books.owed.map((row) => word("reversal", money(row.amount), row.trace)).join(", ");
  line.dataset.fen = books.difference ?? "";
  line.className = books.difference === 0 ? "even" : books.difference === null ? "unknown" : "uneven";
  if (books.difference === null) line.textContent = books.trouble;
  else if (books.difference === 0 && !owed) line.textContent = word("even");
  else line.textContent = word("uneven", money(books.difference)) + (owed ? word("owes", owed) : books.difference ? word("unexplained") : "");
  const totals = books.difference === null ? [] : [word("atHost", money(books.host)), word("atTerminal", money(books.terminal))];
  document.querySelector("#totals").replaceChildren(...totals.map((text) => make("span", { text })));
}

function drawLedger() {
  const head = make("tr", {}, ...["time_", "type", "amount", "state", "trace", "pan"].map((name) => make("th", { text: word(name), name: name === "amount" ? "number" : "" })));
  const rows = books.postings.slice(-SHOWN).reverse().map((row) => make("tr", { name: row.alone ? "alone" : row.state === "reversed" ? "gone" : "", test: "posting" },
    make("td", { text: row.at.slice(11, 19) }), make("td", { text: word(row.type) }), make("td", { text: money(row.amount), name: "number" }),
    make("td", { text: word(row.state) }), make("td", { text: row.trace }), make("td", { text: row.card })));
  if (!rows.length) rows.push(make("tr", {}, make("td", { text: word("nothing"), on: { colSpan: 6 } })));
  document.querySelector("#ledger").replaceChildren(head, ...rows);
}

function drawOverride() {
  const form = document.querySelector("#override");
  const input = make("input", { test: "override-code", on: { maxLength: 2, value: form.querySelector("input")?.value ?? "51" } });
  const label = make("label", { text: `${word("answer")} ` }, input);
  const button = (name, action) => make("button", { test: `override-${name}`, text: word(name), click: () => act({ host: action() }) });
  form.replaceChildren(label, button("respond", () => ({ respond: input.value })), button("silent", () => "silent"), button("normal", () => "clear"));
  form.onsubmit = (event) => { event.preventDefault(); act({ host: { respond: input.value } }); };
  document.querySelector("#triggers").replaceChildren(...TRIGGERS.map((row) => make("tr", {}, make("td", {}, make("code", { text: row[0] })), make("td", { text: row[columns()] }))));
}

export function draw() {
  drawOverride();
  if (books) { drawDifference(); drawLedger(); }
}

on("books", (message) => { books = message; drawDifference(); drawLedger(); });
