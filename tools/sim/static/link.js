// The WebSocket to the simulator: JSON both ways, pictures as binary frames with a type byte.
const listeners = {};
let socket;

export function on(type, callback) { (listeners[type] ||= []).push(callback); }
function tell(type, value) { for (const callback of listeners[type] || []) callback(value); }

export function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}
export const act = (action) => send({ action });

export function connect() {
  socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[#?].*$/, "").replace(/\/?$/, "/ws"));
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tell("up");
  socket.onclose = () => { tell("down"); setTimeout(connect, 1000); };
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") { const message = JSON.parse(data); tell(message.type, message); return; }
    const bytes = new Uint8Array(data);
    tell(bytes[0] === 1 ? "lcd" : "rows", bytes.subarray(1));
  };
}
