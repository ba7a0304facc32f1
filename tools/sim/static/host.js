// The acquirer's ledger beside the terminal's batch: the difference line, overrides, triggers.
import { act, on } from "./link.js";
import { word } from "./words.js";

let books = null;
const money = (fen) => `${fen < 0 ? "-" : ""}${Math.floor(Math.abs(fen) / 100).toLocaleString("en-US")}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;
const TRIGGERS = [
  ["8000.NN", "39 = NN"], ["9101.00", "主机不应答 host silent"], ["9102.00", "已批准,应答丢失 approved, reply lost"],
  ["9103.00", "应答迟到 reply after the time limit"], ["9104.00", "MAC 错 bad MAC"], ["9105.00", "位图错 malformed bitmap"],
  ["9106.00", "报文中途断开 reset in mid-frame"], ["9107.00", "重复应答 duplicate reply"], ["9108.00", "凭证号错 wrong trace number"],
  ["9109.00", "发卡行密文错 wrong issuer cryptogram"],
];

export function draw() {
  const line = document.querySelector("#difference");
  if (!books || books.difference === null) { line.textContent = word("waiting"); line.className = ""; }
  else {
    const even = books.difference === 0;
    line.className = even ? "even" : "uneven";
    line.textContent = even ? word("even") : word("uneven", money(books.difference), books.owed);
  }
  const rows = (books?.postings || []).slice(-12).reverse().map((posting) => `<tr><td>${posting.type}</td>`
    + `<td class=number>${money(posting.amount)}</td><td>${posting.state}</td><td>${posting.trace}</td></tr>`);
  document.querySelector("#ledger").innerHTML = `<tr>${["type", "amount", "state", "trace"].map((name) => `<th>${word(name)}</th>`).join("")}</tr>${rows.join("")}`;
  document.querySelector("#triggers").innerHTML = TRIGGERS.map(([amount, what]) => `<tr><td><code>${amount}</code></td><td>${what}</td></tr>`).join("");
  const form = document.querySelector("#override");
  const code = form.querySelector("input")?.value ?? "51";
  form.innerHTML = `<input data-testid="override-code" maxlength="2" size="2" aria-label="39" value="${code}">`
    + ["respond", "silent", "normal"].map((name) => `<button type="button" data-testid="override-${name}">${word(name)}</button>`).join("");
  const [respond, silent, normal] = form.querySelectorAll("button");
  respond.onclick = () => act({ host: { respond: form.querySelector("input").value } });
  silent.onclick = () => act({ host: "silent" });
  normal.onclick = () => act({ host: "clear" });
  form.onsubmit = (event) => { event.preventDefault(); respond.click(); };
}

on("books", (message) => { books = message; draw(); });
