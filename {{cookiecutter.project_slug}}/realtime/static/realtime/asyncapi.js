/* "Try it": a plain WebSocket, which shows all that travels over it. */

import { authorize } from "../connect.js";
import { openWebSocket } from "../realtime.js";
import { fromTemplate } from "../ui.js";

function pretty(data) {
  try {
    return JSON.stringify(JSON.parse(data), null, 2);
  } catch {
    return String(data); // of a plain consumer, which may send anything
  }
}

document.querySelectorAll(".try").forEach((place) => {
  const [connecting, sending] = place.querySelectorAll("form");
  const [button, state, log] = ["button", ".state", ".frames"].map((one) => place.querySelector(one));
  const [fields, types, text] = ["fieldset", "select", "textarea"].map((one) => sending.querySelector(one));
  let socket;

  function show(kind, sign, words) {
    const item = fromTemplate("frame");
    item.className = kind;
    item.querySelector("b").textContent = sign;
    item.querySelector("pre").textContent = words;
    log.prepend(item);
  }

  function become(name, words) {
    state.dataset.state = name;
    state.textContent = words;
    button.textContent = name.startsWith("connect") ? "Disconnect" : "Connect";
    fields.disabled = name !== "connected";
  }

  function address() {
    const values = [...new FormData(connecting)].filter(([, value]) => value);
    const fill = (path, [name, value]) => path.replace(`{${name}}`, encodeURIComponent(value));
    const url = new URL(values.reduce(fill, place.dataset.address), location.href.replace(/^http/, "ws"));
    for (const [name, value] of values) if (name[0] === "?") url.searchParams.set(name.slice(1), value);
    return url;
  }

  async function connect() {
    become("connecting", "Connecting");
    try {
      socket = await openWebSocket(address(), authorize);
    } catch (error) {
      return become("closed", error.message);
    }
    socket.onopen = () => become("connected", "Connected");
    socket.onmessage = ({ data }) => show("received", "↓", pretty(data));
    socket.onclose = ({ code, reason }) => {
      socket = undefined;
      become("closed", `Closed with ${code}${reason && `: ${reason}`}`);
    };
  }

  function disconnect() {
    socket.onclose = null;
    socket.close();
    socket = undefined;
    become("", "Not connected");
  }

  connecting.addEventListener("submit", (event) => {
    event.preventDefault();
    if (socket) disconnect();
    else connect();
  });

  sending.addEventListener("submit", (event) => {
    event.preventDefault();
    socket.send(text.value);
    show("sent", "↑", text.value);
  });

  const prefill = () => (text.value = types.value);
  types.addEventListener("change", prefill);
  prefill();
});
