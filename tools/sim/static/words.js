// Every word of the page, in Chinese and English.
const WORDS = {
  cards: ["卡片", "Cards"], phone: ["手机", "Phone"], tear: ["撕下", "Tear off"], save: ["存为图片", "Save PNG"],
  copy: ["复制文字", "Copy text"], host: ["收单主机", "Acquirer"], triggers: ["触发金额", "Trigger amounts"],
  faults: ["故障", "Faults"], scenario: ["场景", "Scenario"], timeline: ["时间线", "Timeline"],
  insert: ["插卡", "Insert"], tap: ["挥卡", "Tap"], pull: ["拔卡", "Pull"], away: ["移开", "Take away"],
  powerOff: ["断电", "Cut power"], powerOn: ["上电", "Power on"],
  hint: ["试试:按 1 2 3 4,再按 确认,插入 debit 卡,密码 123456", "Try: press 1 2 3 4, then 确认, insert the card debit, PIN 123456"],
  even: ["差额 0.00:终端与主机一致", "Difference 0.00: terminal and host agree"],
  uneven: ["差额 {}:终端欠主机 {} 笔冲正", "Difference {}: the terminal owes {} reversals"],
  waiting: ["尚未签到", "Not signed on yet"],
  type: ["类型", "Type"], amount: ["金额", "Amount"], state: ["状态", "State"], trace: ["凭证号", "Trace"],
  respond: ["应答", "Respond"], silent: ["不应答", "Stay silent"], normal: ["恢复", "Normal"],
  record: ["录制", "Record"], stop: ["停止", "Stop"], play: ["播放", "Play"], step: ["单步", "Step"],
  export: ["导出", "Export"], search: ["搜索时间线", "Search the timeline"],
  lost: ["与模拟器的连接断开,正在重连", "Lost the simulator; connecting again"],
  paper: ["纸", "Paper"], network: ["网络", "Network"], reader: ["读卡器", "Reader"],
  out: ["缺纸", "out"], "near-end": ["纸将尽", "near end"], open: ["开盖", "door open"], hot: ["过热", "too hot"],
  jam: ["5 行后卡纸", "jam in 5 lines"], off: ["断网", "off"], mute: ["无应答", "mute"], reset: ["连接重置", "reset"],
  dns: ["域名失败", "DNS fails"], expired: ["证书过期", "expired certificate"], "wrong-host": ["证书不符", "wrong host"],
  latency: ["延迟 2 秒", "2 s latency"], loss: ["丢包 20%", "20 % loss"], "cut-write": ["第 5 次写入时断电", "cut at flash write 5"],
  power: ["电源", "Power"], silentPrinter: ["无应答", "silent"],
  all: ["全部", "all"], key: ["按键", "key"], screen: ["屏幕", "screen"], apdu: ["APDU", "APDU"], iso: ["报文", "ISO 8583"],
  print: ["打印", "print"], flash: ["存储", "flash"], fault: ["故障", "fault"],
};

let column = 0;

export const language = () => (column ? "en" : "zh");
export function speak(name) { column = name === "en" ? 1 : 0; document.documentElement.lang = column ? "en" : "zh-CN"; }
export function word(name, ...values) {
  let text = (WORDS[name] || [name, name])[column];
  for (const value of values) text = text.replace("{}", value);
  return text;
}
