// What each Node peer gets around its application, as peers/measured.py: /lag, and the WebSocket /trigger.
const { createServer } = require("node:http");
const { WebSocketServer } = require("ws");

const STEP = 2;

function loopLag() {
  let lags = [];
  let due = performance.now() + STEP;
  function sample() {
    const now = performance.now();
    for (; due <= now; due += STEP) lags.push(now - due);
    setTimeout(sample, due - now);
  }
  sample();
  return () => {
    const sorted = lags.sort((a, b) => a - b);
    lags = [];
    const at = (q) => sorted[Math.floor((sorted.length - 1) * q)];
    return sorted.length ? { p50: at(0.5), p99: at(0.99), max: at(1) } : {};
  };
}

// An HTTP server whose upgrades on /trigger call publish(text) for each text, the others go to `upgrade`.
exports.measured = function (publish, upgrade) {
  let read = null;
  const server = createServer((request, response) => {
    if (request.url !== "/lag") return response.writeHead(404).end();
    read ??= loopLag();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(read()));
  });
  const trigger = new WebSocketServer({ noServer: true });
  trigger.on("connection", (socket) => socket.on("message", (data) => publish(data.toString())));
  server.on("upgrade", (request, socket, head) => {
    if (request.url === "/trigger") trigger.handleUpgrade(request, socket, head, (ws) => trigger.emit("connection", ws));
    else upgrade?.(request, socket, head);
  });
  server.listen(Number(process.env.PORT), "127.0.0.1");
  return server;
};
