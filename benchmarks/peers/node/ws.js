// Node with `ws`: the broadcast of its README.
const { WebSocket, WebSocketServer } = require("ws");
const { measured } = require("./measured");

const wss = new WebSocketServer({ noServer: true });

function publish(text) {
  for (const client of wss.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
}

measured(publish, (request, socket, head) =>
  wss.handleUpgrade(request, socket, head, (client) => wss.emit("connection", client)),
);
