// socket.io with its WebSocket transport: io.emit to all.
const { Server } = require("socket.io");
const { measured } = require("./measured");

const server = measured((text) => io.emit("bench", JSON.parse(text)));
const io = new Server(server, { transports: ["websocket"] });
