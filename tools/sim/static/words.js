// Every word of the page, in Chinese and English.
const WORDS = {
  cards: ["卡片", "Cards"], phone: ["手机", "Phone"], tear: ["撕下", "Tear off"], save: ["存为图片", "Save PNG"],
  copy: ["复制文字", "Copy text"], copied: ["已复制", "Copied"], host: ["收单主机的账", "The acquirer's books"], triggers: ["触发金额", "Trigger amounts"],
  takePaper: ["取出纸卷", "Paper out"], openDoor: ["打开纸仓", "Open door"],
  faults: ["故障", "Faults"], scenario: ["场景", "Scenario"], timeline: ["时间线", "Timeline"], terminal: ["终端", "terminal"],
  insert: ["插卡", "Insert"], tap: ["挥卡", "Tap"], pull: ["拔卡", "Pull"], away: ["移开", "Take away"], show: ["出示付款码", "Show code"], scan: ["扫终端的码", "Scan code"],
  both: ["芯片 · 闪付", "chip · tap"], chip: ["仅芯片", "chip only"], tapOnly: ["仅闪付", "tap only"], pin: ["密码", "PIN"], offlinePin: ["脱机密码", "offline PIN"], expires: ["有效期", "exp."],
  inField: ["感应区：{}", "in the field: {}"],
  powerOff: ["断电", "Cut power"], powerOn: ["上电", "Power on"], more: ["详情", "Details"], crashed: ["固件停了：{}", "The firmware stopped: {}"],
  other: ["English", "中文"], yes: ["继续", "Go on"], no: ["算了", "Leave it"],
  hint: ["试试：输入 <b>12.34</b>，按 <b>确认</b>，挥 <b>1 号卡</b>，密码 <b>123456</b>", "Try: type <b>12.34</b>, press <b>确认</b>, tap <b>card 1</b>, PIN <b>123456</b>"],
  starting: ["终端正在启动、签到……", "The terminal is starting and signing on …"], unpowered: ["终端没有电", "The terminal has no power"],
  anew: ["终端将以英文重新灌装：流水、批次和主机的账都从零开始。", "The terminal will be provisioned anew in Chinese: its journal and batch, and the host's books, start empty."],
  isNew: ["新的终端，两边的账都是空的", "A new terminal; the books on both sides are empty"],
  even: ["差额 0.00，终端与主机一致", "Difference 0.00: terminal and host agree"],
  uneven: ["差额 {}", "Difference {}"], owes: ["，终端还欠主机：{}", "; the terminal still owes: {}"], unexplained: ["，没有待办可以解释", ", and nothing owed explains it"],
  reversal: ["冲正 {}（凭证 {}）", "reversal of {} (trace {})"], atHost: ["主机 {}", "host {}"], atTerminal: ["终端 {}", "terminal {}"], nothing: ["还没有交易", "no payments yet"],
  type: ["类型", "Type"], amount: ["金额", "Amount"], state: ["状态", "State"], trace: ["凭证号", "Trace"], pan: ["卡号", "Card"], card: ["卡片", "card"], time_: ["时间", "Time"],
  sale: ["消费", "sale"], approved: ["成功", "approved"], reversed: ["已冲正", "reversed"],
  answer: ["应答码", "Answer"], respond: ["照此应答", "Respond"], silent: ["不应答", "Stay silent"], normal: ["恢复", "Normal"],
  record: ["● 录制", "● Record"], stop: ["■ 停止", "■ Stop"], play: ["▶ 播放", "▶ Play"], step: ["单步", "Step"], export: ["导出", "Export"], x1: ["1×", "1×"], x10: ["10×", "10×"], max: ["最快", "max"],
  maxHelp: ["播放场景时不等时钟；手动操作时是实时", "Waits for no clock while a scenario plays; by hand it is real time"], playHelp: ["在现在的终端上逐步执行；start 一节不生效", "Plays the steps on the terminal as it stands; 'start' is not applied"],
  script: ["录制或粘贴一个场景（YAML）", "Record or paste a scenario (YAML)"], recording: ["正在录制", "recording"], atLine: ["第 {} 行", "line {}"], played: ["全部通过", "every expectation held"], stepped: ["第 {} 行完成", "line {} done"],
  search: ["搜索时间线", "Search the timeline"], link: ["复制链接", "Copy link"], earlier: ["显示更早的", "show earlier ones"],
  lost: ["与模拟器的连接断开，正在重连", "Lost the simulator; connecting again"],
  paper: ["纸", "Paper"], network: ["网络", "Network"], reader: ["读卡", "Card"], power: ["电源", "Power"],
  out: ["缺纸", "out"], "near-end": ["纸将尽", "near end"], open: ["开盖", "door open"], hot: ["过热", "too hot"], jam: ["第几行卡纸", "jam at line"], printerSilent: ["打印机无应答", "printer silent"],
  off: ["断网", "off"], mute: ["主机不说话", "hosts mute"], reset: ["连接重置", "reset"], dns: ["域名解析失败", "DNS fails"], expired: ["证书过期", "expired certificate"], "wrong-host": ["证书主机名不符", "wrong host"], untrusted: ["证书不受信任", "untrusted"],
  latency: ["延迟毫秒", "latency ms"], loss: ["丢包 %", "loss %"], readerMute: ["读卡器无应答", "reader mute"], pullAt: ["在第几条 APDU 拔卡", "pulled at APDU"], cutAt: ["第几次闪存写入时断电", "cut at flash write"],
  all: ["全部", "all"], key: ["按键", "key"], screen: ["屏幕", "screen"], reading: ["屏幕", "screen"], apdu: ["APDU", "APDU"], iso: ["报文", "ISO"],
  print: ["打印", "print"], flash: ["闪存", "flash"], fault: ["故障", "fault"], field: ["射频", "field"], printer: ["打印机", "printer"], wifi: ["Wi-Fi", "Wi-Fi"], tcp: ["TCP", "TCP"], tls: ["TLS", "TLS"], acquirer: ["主机", "host"], crash: ["崩溃", "crash"],
};

let column = 0;

export const language = () => (column ? "en" : "zh");
export function speak(name) { column = name === "en" ? 1 : 0; document.documentElement.lang = column ? "en" : "zh-CN"; }
export function word(name, ...values) {
  let text = (WORDS[name] || [name, name])[column];
  for (const value of values) text = text.replace("{}", value);
  return text;
}
// An element with a class, test id, text and what a click does: the page's only way to make one.
export function make(tag, { test, text, click, pressed, title, name, on = {} } = {}, ...children) {
  const made = document.createElement(tag);
  if (test) made.dataset.testid = test;
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  if (title) made.title = title;
  if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
  if (click) { made.onclick = click; if (tag === "button") made.type = "button"; }
  Object.assign(made, on);
  made.append(...children);
  return made;
}
