// The client of the pages, in Node: does what comes on stdin, says on stdout what it hears; a line of JSON each.
import { createInterface } from "node:readline";

const [script, path, options] = process.argv.slice(2);
const { RealtimeSocket } = await import(script);
const tell = (kind, what) => console.log(JSON.stringify([kind, what ?? null]));
let prove;

const socket = new RealtimeSocket(path, {
  ...JSON.parse(options),
  authorize: (renew) => {
    tell("authorize", renew);
    return new Promise((resolve) => (prove = resolve));
  },
  onLoggedOut: () => tell("logged_out"),
});
socket.on("state", (change) => tell("state", change));
socket.on("*", (frame) => tell("frame", frame));

const commands = {
  prove: (proof) => prove(proof ?? undefined),
  request: (frame) =>
    socket.request(frame).then(
      (reply) => tell("answer", reply),
      ({ code, message }) => tell("answer", { code, message }),
    ),
  close: () => socket.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = JSON.parse(line);
  commands[command](argument);
}
process.exit();
