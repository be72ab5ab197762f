/* The SharedWorker that takes the sockets of all tabs over one; overWorker() in topics.js is the other end.

   A tab asks for a topic with a port of its own for it. Over that go frames, as strings, and objects:
     from here   {here}, {ask} for a proof, {open}, {closed: {code, reason}}
     to here     {proof} or {refused}, {close} */

import { RealtimeError } from "./realtime.js";
import { overOne } from "./topics.js";

const PATIENCE = 9_000; // ms for a tab to give a proof; it may be asleep, and others wait for it
const transports = new Map(); // one for each user
const tabs = new Map(); // lock -> what ends the topics of that tab

addEventListener("connect", ({ ports: [tab] }) => {
  tab.onmessage = ({ data, ports: [port] }) => open(data, port);
});

async function open({ url, path, user, lock }, port) {
  const ends = endsOf(lock);
  let socket;
  let settle; // what waits for a proof
  const end = () => {
    ends.delete(end);
    settle?.({ refused: { detail: "The tab has gone." } });
    socket?.close();
    socket = undefined;
    port.close();
  };
  ends.add(end);
  port.onmessage = ({ data }) => {
    if (typeof data === "string") socket?.send(data);
    else if (data.close) end();
    else settle?.(data);
  };
  const authorize = async () => {
    port.postMessage({ ask: true });
    const answer = await new Promise((resolve) => {
      settle = resolve;
      setTimeout(resolve, PATIENCE, { refused: { detail: "The tab does not answer." } });
    });
    if (answer.refused) throw new RealtimeError(answer.refused.code, answer.refused.detail);
    return answer.proof;
  };
  const closed = ({ code, reason }) => {
    port.postMessage({ closed: { code, reason } });
    end();
  };
  port.postMessage({ here: true });
  try {
    const opened = await transportOf(path, user)(new URL(url), authorize);
    if (!ends.has(end)) return opened.close(); // it has gone meanwhile
    socket = opened;
    socket.onmessage = ({ data }) => port.postMessage(data);
    socket.onclose = closed;
    port.postMessage({ open: true });
  } catch (error) {
    closed({ code: error.code, reason: error.message });
  }
}

function transportOf(path, user) {
  const key = JSON.stringify([path, user]);
  if (!transports.has(key)) transports.set(key, overOne({ path, user }));
  return transports.get(key);
}

// A tab holds its lock for as long as it lives, however it ends.
function endsOf(lock) {
  if (!tabs.has(lock)) {
    tabs.set(lock, new Set());
    navigator.locks.request(lock, () => {
      for (const end of tabs.get(lock)) end();
      tabs.delete(lock);
    });
  }
  return tabs.get(lock);
}
