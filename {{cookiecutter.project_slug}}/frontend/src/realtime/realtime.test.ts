import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Any, AnySocket, FakeSocket, line, pass, pretend, pretendNoMore } from "./fake";
import { RealtimeError } from "./realtime.js";

let socket: AnySocket;

beforeEach(pretend);
afterEach(() => {
  socket?.close();
  pretendNoMore();
});

async function open(options: object = {}) {
  socket = new AnySocket("/ws/news/", options);
  await pass();
  return line(1);
}

async function connect(options: object = {}) {
  const first = await open(options);
  first.greets();
  return first;
}

/** Collect what an event brings. */
function heard<T = Any>(type: string, of = (frame: Any): T => frame): T[] {
  const all: T[] = [];
  socket.on(type, (frame: Any) => all.push(of(frame)));
  return all;
}

const code = (promise: Promise<unknown>) => promise.then(String, (error: RealtimeError) => error.code);

describe("a connection", () => {
  test("is there when the server has greeted", async () => {
    const first = await open();
    expect(first.url.href).toBe("ws://localhost:3000/ws/news/");
    expect(socket.state).toBe("connecting");
    const states = heard("state", ({ state }) => state);
    first.greets();
    expect(socket.state).toBe("connected");
    first.ends(1012);
    expect(states).toEqual(["connected", "reconnecting"]);
  });

  test("goes where it is told to", async () => {
    const first = await open({ base: "https://api.example.org/elsewhere/" });
    expect(first.url.href).toBe("wss://api.example.org/ws/news/");
  });

  test("comes back sooner or later, never at a time that all others choose", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0.999);
    await open();
    for (const [count, most] of [500, 1000, 2000, 4000, 8000, 10_000, 10_000].entries()) {
      line(count + 1).ends();
      await pass(most * 0.99);
      line(count + 1);
      await pass(most * 0.01);
    }
    random.mockReturnValue(0);
    line(8).ends();
    await pass();
    line(9);
  });

  test("that holds lets the next break begin with a short wait again", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    const first = await open();
    first.ends();
    await pass(500);
    line(2).ends();
    await pass(1000);
    line(3).greets();
    await pass(25_000);
    line(3).says("pong");
    line(3).ends();
    await pass(500);
    line(4);
  });

  test("comes back when the server says so", async () => {
    const first = await connect();
    first.says("reconnect", { after: 7.5 });
    first.ends(1012);
    await pass(7_400);
    line(1);
    await pass(100);
    line(2);
  });

  test("that never greets, or is silent after a ping, is given up", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const first = await open();
    await pass(10_001);
    expect(first.readyState).toBe(3);
    line(2).greets();
    await pass(25_000);
    expect(line(2).sent).toEqual([{ type: "ping" }]);
    line(2).says("pong");
    await pass(25_000 + 9_999);
    expect(socket.state).toBe("connected");
    await pass(1);
    expect(socket.state).toBe("reconnecting");
  });

  test("that was given up is heard no more", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const first = await open();
    await pass(10_001);
    line(2).greets();
    const frames = heard("*");
    first.says("news", { id: 1 });
    first.ends(4403);
    expect([socket.state, frames]).toEqual(["connected", []]);
  });
});

describe("close codes", () => {
  beforeEach(() => void vi.spyOn(Math, "random").mockReturnValue(0.5));

  test.each([
    [4403, "", "You are not allowed in here."],
    [4403, "The host has removed you", "The host has removed you."],
    [4404, "Not here", "This does not exist, or not any more."],
    [4410, "", "The staff has ended this connection. Reload the page to come back."],
  ])("%i %j is the end", async (code, reason, words) => {
    const first = await connect();
    const changes = heard("state");
    first.ends(code, reason);
    await pass(60_000);
    line(1);
    expect(changes).toEqual([{ state: "closed", reason: words }]);
    expect([socket.state, socket.reason]).toEqual(["closed", words]);
  });

  test.each([1013, 4013, 4429])("%i leaves the server alone", async (code) => {
    const first = await connect();
    first.ends(code);
    await pass(7_400);
    line(1);
    await pass(100);
    line(2);
  });

  test.each([1000, 1001, 1006, 1009, 1011, 1012, 4012])("%i brings it back", async (code) => {
    const first = await connect();
    first.ends(code);
    await pass(250);
    line(2);
  });
});

describe("who it is", () => {
  test("is nobody's business by default", async () => {
    const first = await open();
    expect([first.url.search, first.protocols]).toEqual(["", []]);
  });

  test("is said by a ticket, a new one each time", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    let tickets = 0;
    const first = await open({ authorize: async () => ({ ticket: `t${++tickets}` }), since: 3 });
    expect(first.url.search).toBe("?since=3&ticket=t1");
    first.ends();
    await pass();
    expect(line(2).url.search).toBe("?since=3&ticket=t2");
  });

  test("is said by a token, where no log writes it", async () => {
    const first = await open({ authorize: async () => ({ token: "abc" }) });
    expect([first.url.search, first.protocols]).toEqual(["", ["bearer", "abc"]]);
  });

  test("is asked for again when it could not be said", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const authorize = vi
      .fn()
      .mockRejectedValueOnce(new Error("no network"))
      .mockResolvedValue({ token: "abc" });
    socket = new AnySocket("/ws/news/", { authorize });
    await pass();
    expect([socket.state, FakeSocket.all]).toEqual(["reconnecting", []]);
    await pass(250);
    line(1);
    expect(authorize.mock.calls).toEqual([[false], [false]]);
  });

  test("is renewed on a connection whose token expires", async () => {
    const authorize = vi.fn(async (renew: boolean) => ({ token: renew ? "new" : "old" }));
    const first = await connect({ authorize });
    first.says("token_expiring", { in: 30 });
    await pass();
    expect(first.sent).toEqual([{ type: "auth.refresh", token: "new", id: 1 }]);
    first.says("reply", { id: 1, ok: true });
    first.says("token_expiring", { in: 30 });
    await pass();
    first.says("error", { id: 2, code: "not_allowed", detail: "The token is not valid" });
    await pass();
    expect(socket.state).toBe("connected"); // for as long as the server wants
  });

  test.each([{ ticket: "t" }, undefined])("is not renewed by %j", async (proof) => {
    const first = await connect({ authorize: async () => proof });
    first.says("token_expiring", { in: 30 });
    await pass();
    expect(first.sent).toEqual([]);
  });

  test("is asked anew once it is refused, and then that is the end of it", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const authorize = vi.fn(async () => ({ token: "abc" }));
    const onLoggedOut = vi.fn();
    const first = await connect({ authorize, onLoggedOut });
    first.ends(4401);
    await pass();
    expect(authorize.mock.calls).toEqual([[false], [true]]);
    expect(socket.state).toBe("reconnecting");
    line(2).ends(4401);
    expect(onLoggedOut).toHaveBeenCalledOnce();
    expect([socket.state, socket.reason]).toEqual(["offline", "You are logged out."]);
    await pass(60_000);
    line(2);
  });

  test.each([true, false])("never let in: it does not say logged out (%j)", async (told) => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const onLoggedOut = vi.fn();
    const first = await open(told ? { onLoggedOut } : {});
    first.ends(4401);
    await pass();
    line(2).ends(4401);
    expect(onLoggedOut).not.toHaveBeenCalled();
    expect([socket.state, socket.reason]).toEqual(["closed", "You are not logged in here."]);
  });

  test("may be found out to be nobody before there is a connection", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const authorize = () => Promise.reject(new RealtimeError(4401, "Not logged in."));
    socket = new AnySocket("/ws/news/", { authorize });
    await pass();
    await pass();
    expect([socket.state, FakeSocket.all]).toEqual(["closed", []]);
  });
});

describe("frames", () => {
  test("are heard by type, and all by a star, until they are not to be", async () => {
    const first = await connect();
    const [news, all] = [heard("news"), heard("*", ({ type }) => type)];
    const off = socket.on("news", () => expect.unreachable());
    off();
    off();
    first.says("news", { title: "Rain" });
    first.says("votes");
    expect(news).toEqual([{ type: "news", title: "Rain" }]);
    expect(all).toEqual(["news", "votes"]);
  });

  test("that are numbered come once, and a break asks for those after the last", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const first = await connect({ since: 5, ids: { news: "news_id" } });
    const ids = heard("news", ({ news_id }) => news_id);
    for (const news_id of [5, 6, 6, 4, 8]) first.says("news", { news_id });
    first.says("votes", { news_id: 100 }); // these are not numbered
    first.ends(1012);
    await pass();
    expect(line(2).url.search).toBe("?since=8");
    line(2).greets();
    for (const news_id of [8, 9]) line(2).says("news", { news_id });
    expect(ids).toEqual([6, 8, 9]);
  });

  test("after a gap count from where the server goes on", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const first = await connect({ since: 5, ids: { news: "news_id" } });
    const [ids, gaps] = [heard("news", ({ news_id }) => news_id), heard("gap", ({ resumed }) => resumed)];
    first.says("gap", { asked: 5, resumed: 20 });
    for (const news_id of [20, 21]) first.says("news", { news_id });
    first.says("gap", { asked: 21, resumed: 3 }); // a backup was restored
    first.says("news", { news_id: 4 });
    expect([ids, gaps]).toEqual([
      [21, 4],
      [20, 3],
    ]);
    first.ends();
    await pass();
    expect(line(2).url.search).toBe("?since=4");
  });

  test("without numbers are not asked for again", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const first = await connect();
    first.says("news", { news_id: 7 });
    first.says("gap", { asked: 7, resumed: 8 });
    first.ends();
    await pass();
    expect(line(2).url.search).toBe("");
  });

  test("that cannot be sent are dropped, which is said", async () => {
    const first = await open();
    expect(socket.send({ type: "typing" })).toBe(false);
    first.greets();
    expect(socket.send({ type: "typing" })).toBe(true);
    first.readyState = 2; // it is closing
    expect(socket.send({ type: "typing" })).toBe(false);
    expect(first.sent).toEqual([{ type: "typing" }]);
  });
});

describe("requests", () => {
  test("are answered by reply or error, whatever comes between", async () => {
    const first = await connect();
    const rest = heard("*", ({ type, id }) => `${type} ${id}`);
    const [one, other] = [socket.request({ type: "count" }), code(socket.request({ type: "count" }))];
    await pass();
    expect(first.sent).toEqual([
      { type: "count", id: 1 },
      { type: "count", id: 2 },
    ]);
    first.says("votes", { id: 1 });
    first.says("error", { id: 7, code: "internal_error" });
    first.says("error", { id: 2, code: "not_allowed", detail: "No" });
    first.says("reply", { id: 1, ok: true, sum: 3 });
    expect(await one).toEqual({ type: "reply", id: 1, ok: true, sum: 3 });
    expect(await other).toBe("not_allowed");
    expect(rest).toEqual(["votes 1", "error 7"]);
  });

  test("end with the connection, in time, and when there is none", async () => {
    const first = await open();
    expect(await code(socket.request({ type: "count" }))).toBe("offline");
    first.greets();
    const slow = code(socket.request({ type: "count" }));
    await pass(10_000);
    expect(await slow).toBe("timeout");
    const broken = code(socket.request({ type: "count" }));
    await pass();
    first.ends();
    expect(await broken).toBe("offline");
  });

  test("end when the socket is closed", async () => {
    await connect();
    const closed = code(socket.request({ type: "count" }));
    await pass();
    socket.close();
    expect(await closed).toBe("closed");
    expect(await code(socket.request({ type: "count" }))).toBe("offline");
  });

  test("wait for their replies in a limited number", async () => {
    const first = await connect();
    const all = Array.from({ length: 500 }, () => code(socket.request({ type: "count" })));
    await pass();
    expect(await code(socket.request({ type: "count" }))).toBe("rate_limited");
    expect(first.sent).toHaveLength(500);
    first.says("reply", { id: 1 });
    await all[0];
    all.push(code(socket.request({ type: "count" })));
    await pass();
    expect(first.sent).toHaveLength(501);
    socket.close();
    await Promise.all(all);
  });
});

describe("a page", () => {
  const online = (value: boolean) => vi.spyOn(navigator, "onLine", "get").mockReturnValue(value);
  const shown = Object.assign(new Event("pageshow"), { persisted: true });

  test.each([
    ["the network is back", () => window.dispatchEvent(new Event("online"))],
    ["it is shown again", () => document.dispatchEvent(new Event("visibilitychange"))],
    ["it is thawed", () => document.dispatchEvent(new Event("resume"))],
    ["somebody came back to it", () => window.dispatchEvent(shown)],
  ])("finds out at once what is with its connection when %s", async (_, wake) => {
    const first = await connect();
    wake();
    expect(first.sent).toEqual([{ type: "ping" }]);
    first.says("pong");
    first.ends(1013);
    await pass();
    line(1);
    wake();
    wake();
    await pass();
    line(2);
  });

  test("that is hidden or was only just loaded does not hurry", async () => {
    const first = await connect();
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
    expect(first.sent).toEqual([]);
  });

  test("that loses the network notices within ten seconds", async () => {
    const first = await connect();
    online(false);
    window.dispatchEvent(new Event("offline"));
    expect(first.sent).toEqual([{ type: "ping" }]);
    await pass(10_000);
    expect(socket.state).toBe("offline");
  });

  test("that is left lets its connection go, and opens one when somebody is back", async () => {
    const first = await connect();
    window.dispatchEvent(new Event("pagehide"));
    expect([first.readyState, socket.state]).toEqual([3, "reconnecting"]);
    await pass(60_000);
    line(1);
    window.dispatchEvent(shown);
    await pass();
    line(2);
  });

  test("has nothing left of a socket that is closed", async () => {
    const first = await connect();
    const states = heard("state", ({ state }) => state);
    socket.close();
    socket.close();
    for (const type of ["online", "offline", "pagehide"]) window.dispatchEvent(new Event(type));
    window.dispatchEvent(shown);
    for (const type of ["resume", "visibilitychange"]) document.dispatchEvent(new Event(type));
    await pass(60_000);
    expect([states, first.readyState, first.sent]).toEqual([["closed"], 3, []]);
    line(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a transport", () => {
  const url = new URL("ws://localhost/");

  test("of another kind gets the address, and the proof if it asks", async () => {
    const transport = new FakeSocket(url);
    const opening = vi.fn(() => transport);
    const authorize = vi.fn(async () => ({ token: "abc" }));
    socket = new AnySocket("/ws/news/", { open: opening, authorize, since: 4 });
    await pass();
    const [address, ask] = opening.mock.calls[0] as Any;
    expect([address.href, authorize.mock.calls.length]).toEqual(["ws://localhost:3000/ws/news/?since=4", 0]);
    expect(await ask()).toEqual({ token: "abc" });
    transport.greets();
    socket.send({ type: "typing" });
    expect(transport.sent).toEqual([{ type: "typing" }]);
  });

  test("may refuse, as a server does", async () => {
    socket = new AnySocket("/ws/news/", {
      open: () => Promise.reject(new RealtimeError(4404, "No such topic")),
    });
    await pass();
    expect(socket.state).toBe("closed");
  });

  test("that comes too late is closed, and nobody is asked for a proof", async () => {
    const transport = new FakeSocket(url);
    let arrive = (_: FakeSocket) => {};
    let ask = async (): Promise<unknown> => undefined;
    const authorize = vi.fn(async () => undefined);
    socket = new AnySocket("/ws/news/", {
      authorize,
      open: (_: URL, authorize: () => Promise<unknown>) => {
        ask = authorize;
        return new Promise((resolve) => (arrive = resolve as Any));
      },
    });
    socket.close();
    await expect(ask()).rejects.toThrow("Nobody waits for this connection any more.");
    arrive(transport);
    await pass();
    expect(transport.readyState).toBe(3);
  });

  test("is not even opened for a socket that is closed at once", async () => {
    new AnySocket("/ws/news/").close();
    await open();
    line(1);
  });
});
