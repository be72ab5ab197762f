// socket.io with its WebSocket transport: io.emit to all, or to a room, and an echo.
const { Server } = require("socket.io");
const { measured } = require("./measured");

const server = measured((text) => {
  const event = JSON.parse(text);
  (event.group === undefined ? io : io.to(`bench.${event.group}`)).emit("bench", event);
});
const io = new Server(server, { transports: ["websocket"] });

io.on("connection", (socket) => {
  const { group } = socket.handshake.query;
  if (group !== undefined) socket.join(`bench.${group}`);
  socket.on("ping", (frame) => socket.emit("ping", frame));
});
