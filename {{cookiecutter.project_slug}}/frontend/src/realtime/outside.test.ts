// @vitest-environment node
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AnySocket, line, pass, pretend, pretendNoMore } from "./fake";

const { getEventListeners } = await vi.importActual<{
  getEventListeners(target: EventTarget, type: string): unknown[];
}>("node:events");

beforeEach(pretend);
afterEach(pretendNoMore);

test("where there is no page a socket does without, and keeps nothing of what is over", async () => {
  expect([typeof document, typeof location, typeof addEventListener]).toEqual(Array(3).fill("undefined"));
  const socket = new AnySocket("/ws/news/", {
    base: "http://127.0.0.1:8000",
    ids: { news: "news_id" },
  });
  await pass();
  expect(line(1).url.href).toBe("ws://127.0.0.1:8000/ws/news/");
  line(1).greets();
  for (let news_id = 1; news_id <= 1000; news_id++) {
    socket.on("news", () => {})();
    line(1).says("news", { news_id });
  }
  expect(getEventListeners(socket, "news")).toEqual([]);
  line(1).ends(1012);
  expect(socket.state).toBe("reconnecting");
  await pass(500);
  expect(line(2).url.search).toBe("?since=1000");
  socket.close();
});
