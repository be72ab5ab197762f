import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Path, RealtimeSocket } from "./realtime.js";
import { overOne } from "./topics.js";

const NEWS = "/ws/news/" as Path;
const WEATHER = "/ws/weather/" as Path;

/** The server's end of a WebSocket. */
class FakeSocket extends EventTarget {
  static all: FakeSocket[] = [];
  readyState = 1;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason?: string }) => void) | null = null;
  sent: Record<string, unknown>[] = [];

  constructor(
    readonly url: URL,
    readonly protocols: string[],
  ) {
    super();
    FakeSocket.all.push(this);
  }

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  say(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  greet(topic?: string, id: number | null = 7) {
    this.say({ type: "connection_established", heartbeat: 25, user: { id, username: "ada" }, topic });
  }

  end(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  get topics() {
    return this.sent.filter(({ type }) => type === "subscribe").map(({ topic }) => topic as string);
  }
}

const opened = (path: string) => FakeSocket.all.filter(({ url }) => url.pathname === path);
const settled = () => vi.advanceTimersByTimeAsync(0);

let sockets: RealtimeSocket<Path>[] = [];

function open(path: Path, options: object) {
  const socket = new RealtimeSocket(path, { base: "https://example.com", ...options });
  sockets.push(socket);
  return socket;
}

/** Two sockets over one, both connected. */
async function connected(options: object = {}) {
  const transport = overOne();
  const news = open(NEWS, { open: transport, since: 41, ids: { article: "id" }, ...options });
  const weather = open(WEATHER, { open: transport, ...options });
  await settled();
  const [server] = opened("/ws/") as [FakeSocket];
  server.greet();
  await settled();
  for (const topic of server.topics) server.greet(topic);
  return { news, weather, server };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
});

afterEach(() => {
  for (const socket of sockets) socket.close();
  sockets = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("two sockets share one, each with its frames", async () => {
  const { news, weather, server } = await connected();
  expect(FakeSocket.all.length).toBe(1);
  expect(server.sent).toEqual([
    { type: "subscribe", topic: "/ws/news/#1", since: 41 },
    { type: "subscribe", topic: "/ws/weather/#2" },
  ]);
  expect([news.state, weather.state]).toEqual(["connected", "connected"]);
  const heard: unknown[] = [];
  news.on("*" as never, (frame: unknown) => heard.push(frame));
  server.say({ type: "article", id: 42, topic: "/ws/news/#1" });
  server.say({ type: "article", id: 43, topic: "/ws/weather/#2" });
  server.say({ type: "article", id: 44, topic: "/ws/news/#9" });
  expect(heard).toEqual([{ type: "article", id: 42, topic: "/ws/news/#1" }]);
  const reply = weather.request({ type: "chat_message", message: "Hi" } as never);
  expect(server.sent.at(-1)).toEqual({
    type: "chat_message",
    message: "Hi",
    id: 1,
    topic: "/ws/weather/#2",
  });
  server.say({ type: "reply", id: 1, ok: true, topic: "/ws/news/#1" });
  server.say({ type: "reply", id: 1, ok: true, n: 5, topic: "/ws/weather/#2" });
  expect(await reply).toMatchObject({ n: 5 });
});

test("one ping is for all, and without an answer all come back over a new one", async () => {
  const { news, weather, server } = await connected();
  await vi.advanceTimersByTimeAsync(25_000);
  expect(server.sent.filter(({ type }) => type === "ping").length).toBe(1);
  server.say({ type: "pong" });
  await vi.advanceTimersByTimeAsync(20_000);
  expect([news.state, weather.state]).toEqual(["connected", "connected"]);
  await vi.advanceTimersByTimeAsync(14_100); // 9 s after the second one
  expect([news.state, weather.state]).toEqual(["reconnecting", "reconnecting"]);
  await vi.advanceTimersByTimeAsync(1_000);
  const next = opened("/ws/")[1] as FakeSocket;
  next.greet();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(next.topics.length).toBe(2);
  expect(FakeSocket.all.length).toBe(2);
});

test("a topic that ends leaves the others, and comes back with what it has seen", async () => {
  const { news, weather, server } = await connected();
  server.say({ type: "article", id: 50, topic: "/ws/news/#1" });
  server.say({ type: "reconnect", after: 2, topic: "/ws/news/#1" });
  server.say({ type: "closed", code: 1012, reason: "", topic: "/ws/news/#1" });
  expect([news.state, weather.state]).toEqual(["reconnecting", "connected"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(server.sent.at(-1)).toEqual({ type: "subscribe", topic: "/ws/news/#3", since: 50 });
  server.say({ type: "closed", code: 4404, reason: "", topic: "/ws/weather/#2" });
  expect(weather.state).toBe("closed");
});

test("the connection goes with its last topic, but not at once", async () => {
  const { news, weather, server } = await connected();
  news.close();
  weather.close();
  expect(server.sent.slice(-2).map(({ type }) => type)).toEqual(["unsubscribe", "unsubscribe"]);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(server.readyState).toBe(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(server.readyState).toBe(3);
});

test("what cannot be a topic has a socket of its own", async () => {
  const { news, weather, server } = await connected();
  server.say({ type: "closed", code: 4421, reason: "", topic: "/ws/news/#1" });
  await settled();
  const [own] = opened(NEWS) as [FakeSocket];
  expect(own.url.search).toBe("?since=41");
  own.greet();
  expect([news.state, weather.state]).toEqual(["connected", "connected"]);
  own.end(1012);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(opened(NEWS).length).toBe(2);
  expect(server.topics.length).toBe(2);
});

test("where nothing takes topics, and for another user, each has a socket of its own", async () => {
  for (const answer of [
    (server: FakeSocket) => server.end(4404),
    (server: FakeSocket) => server.greet(undefined, 8),
  ]) {
    FakeSocket.all = [];
    const transport = overOne({ user: 7 });
    const both = [open(NEWS, { open: transport }), open(WEATHER, { open: transport })];
    await settled();
    answer(opened("/ws/")[0] as FakeSocket);
    await settled();
    for (const own of [...opened(NEWS), ...opened(WEATHER)]) own.greet();
    expect(both.map(({ state }) => state)).toEqual(["connected", "connected"]);
    expect(opened("/ws/").length).toBe(1);
  }
});

test("a token that expires is renewed for all, once", async () => {
  const authorize = vi.fn(async () => ({ token: "abc" }));
  const { server } = await connected({ authorize });
  expect(server.protocols).toEqual(["bearer", "abc"]);
  expect(authorize).toHaveBeenCalledTimes(1);
  server.say({ type: "token_expiring", in: 30 });
  await settled();
  expect(server.sent.filter(({ type }) => type === "auth.refresh")).toEqual([
    { type: "auth.refresh", token: "abc", id: 1 },
  ]);
  server.end(4401);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(opened("/ws/").length).toBe(2);
});

test("a socket that can prove nothing holds up no other", async () => {
  const transport = overOne();
  open(NEWS, {
    open: transport,
    authorize: async () => {
      throw new Error("no ticket");
    },
  });
  open(WEATHER, { open: transport, authorize: async () => ({ ticket: "t" }) });
  await settled();
  const [server] = opened("/ws/") as [FakeSocket];
  expect(server.url.search).toBe("?ticket=t");
});

test("a proof that never comes holds up no other for long", async () => {
  const transport = overOne();
  open(NEWS, { open: transport, authorize: () => new Promise(() => {}) });
  const weather = open(WEATHER, { open: transport, authorize: async () => ({ ticket: "t" }) });
  await vi.advanceTimersByTimeAsync(9_000);
  const [server] = opened("/ws/") as [FakeSocket];
  server.greet();
  await settled();
  server.greet(server.topics.at(-1));
  expect(weather.state).toBe("connected");
});

test("what is left of an earlier connection ends nothing in the next one", async () => {
  const transport = overOne();
  const url = () => new URL("wss://example.com/ws/news/");
  const one = transport(url(), async () => {});
  await settled();
  const [first] = opened("/ws/") as [FakeSocket];
  first.greet();
  const early = await one;
  first.say({ type: "error", code: "too_many_topics", detail: "", topic: first.topics[0] });
  first.end(1006); // while the early one opens a socket of its own
  early.close();
  const two = transport(url(), async () => {});
  await settled();
  const next = opened("/ws/")[1] as FakeSocket;
  next.greet();
  const late = await two;
  early.close();
  const heard = vi.fn();
  late.onmessage = heard;
  next.say({ type: "article", topic: next.topics[0] });
  expect(heard).toHaveBeenCalled();
  expect(next.sent.length).toBe(1);
});
