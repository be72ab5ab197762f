// Node with `ws`: the broadcast of its README, to all or to a group, and its echo.
const { WebSocket, WebSocketServer } = require("ws");
const { measured } = require("./measured");

const wss = new WebSocketServer({ noServer: true });
const groups = new Map(); // by number; without one, all are in `undefined`

function publish(text) {
  for (const client of groups.get(JSON.parse(text).group) ?? [])
    if (client.readyState === WebSocket.OPEN) client.send(text);
}

measured(publish, (request, socket, head) =>
  wss.handleUpgrade(request, socket, head, (client) => {
    const asked = new URL(request.url, "http://localhost").searchParams.get("group");
    const group = asked === null ? undefined : Number(asked);
    if (!groups.has(group)) groups.set(group, new Set());
    groups.get(group).add(client);
    client.on("close", () => groups.get(group).delete(client));
    client.on("message", (data) => client.send(data.toString()));
  }),
);
