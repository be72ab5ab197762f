import { Activity, act, type ReactNode, StrictMode, useEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Any, FakeSocket, line, pass, pretend, pretendNoMore } from "./fake";
import * as hooks from "./useWebSocket";

const { useWebSocket, useFrames }: Any = hooks; // without their types: nobody else has such frames
const PATH = "/ws/news/";
const channel = {
  initial: { greetings: 0, titles: [] as string[] },
  since: 3,
  ids: { news: "news_id" },
  reduce(value: Any, frame: Any) {
    if (frame.type === "connection_established") return { ...value, greetings: value.greetings + 1 };
    return frame.type === "news" ? { ...value, titles: [...value.titles, frame.title] } : value;
  },
};

let root: Root;
let page: HTMLElement;
let live: Any; // what the hook has returned last
let renders: number;

beforeEach(() => {
  pretend();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  page = document.createElement("main");
  root = createRoot(page);
  renders = 0;
});
afterEach(async () => {
  await show(null);
  await act(() => pass(2000));
  expect(FakeSocket.all.every(({ readyState }) => readyState === 3)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  pretendNoMore();
});

const show = (content: ReactNode) =>
  act(async () => {
    root.render(content);
    await pass();
  });

/** What happens on the other side, and the drawing of a frame after it. */
const draw = (happen: () => void, ms = 16) =>
  act(async () => {
    happen();
    await pass(ms);
  });

function News({ path = PATH, children }: { path?: string; children?: ReactNode }) {
  live = useWebSocket(path, channel);
  renders++;
  return (
    <p>
      {live.state} {live.value.greetings} {live.value.titles.join()}/{children}
    </p>
  );
}

function Listener({ path = PATH, to }: { path?: string; to: (frame: Any) => void }) {
  useFrames(path, to);
  return null;
}

// An effect of a child comes before the parent has opened the socket.
function Hasty({ refused }: { refused: (code: string) => void }) {
  useEffect(() => {
    live.request({ type: "count" }).catch(({ code }: Any) => refused(code));
  }, [refused]);
  return null;
}

test("components of one path share a socket and a value, in StrictMode too", async () => {
  await show(
    <StrictMode>
      <News />
      <News />
    </StrictMode>,
  );
  await draw(() => line(1).greets());
  await draw(() => line(1).says("news", { news_id: 4, title: "Rain" }));
  await draw(() => line(1).says("news", { news_id: 4, title: "Rain" }));
  expect(page.textContent).toBe("connected 1 Rain/connected 1 Rain/");
  expect(line(1).url.search).toBe("?since=3");
});

test("a component that comes late sees what there is", async () => {
  await show(<News />);
  await draw(() => line(1).greets());
  await draw(() => line(1).says("news", { news_id: 4, title: "Rain" }));
  await show([<News key="1" />, <News key="2" />]);
  expect(page.textContent).toBe("connected 1 Rain/connected 1 Rain/");
  line(1);
});

test("what comes between two drawings is shown by one of them", async () => {
  await show(<News />);
  await draw(() => line(1).greets());
  const before = renders;
  await draw(() => {
    for (let news_id = 10; news_id < 60; news_id++) line(1).says("news", { news_id, title: news_id });
  });
  expect(live.value.titles).toHaveLength(50);
  expect(renders).toBe(before + 1);
});

test("frames that change nothing are no reason to draw", async () => {
  await show(<News />);
  await draw(() => line(1).greets());
  const before = renders;
  await draw(() => line(1).says("pong"));
  expect(renders).toBe(before);
});

test("a page that is hidden, and drawn by nobody, still gets to know", async () => {
  await show(<News />);
  vi.stubGlobal("requestAnimationFrame", () => 0);
  await draw(() => line(1).greets(), 249);
  expect(live.state).toBe("connecting");
  await draw(() => {}, 1);
  expect(live.state).toBe("connected");
});

test("a socket stays for a second, for the next page that wants it, and not longer", async () => {
  await show(<News />);
  await draw(() => line(1).greets());
  await show(null);
  await draw(() => line(1).says("news", { news_id: 4, title: "Rain" }), 900);
  await show(<News />);
  expect(page.textContent).toBe("connected 1 Rain/");
  await show(null);
  await draw(() => {}, 1000);
  expect(line(1).readyState).toBe(3);
  await show(<News />);
  expect(page.textContent).toBe("connecting 0 /");
  line(2);
});

test("what was hidden for long begins anew when it is shown", async () => {
  const tree = (mode: "visible" | "hidden") => (
    <Activity mode={mode}>
      <News />
    </Activity>
  );
  await show(tree("visible"));
  await draw(() => line(1).greets());
  await draw(() => line(1).says("news", { news_id: 4, title: "Rain" }));
  await show(tree("hidden"));
  await draw(() => {}, 1000);
  expect(line(1).readyState).toBe(3);
  await show(tree("visible"));
  await draw(() => line(2).greets());
  expect(line(2).url.search).toBe("?since=3");
  expect(page.textContent).toBe("connected 1 /");
});

test("a socket that was refused is tried again by the next page", async () => {
  await show(<News />);
  await draw(() => line(1).ends(4403, "The show is full"));
  expect([live.state, live.reason]).toEqual(["closed", "The show is full."]);
  await show(null);
  await draw(() => {}, 0);
  await show(<News />);
  line(2);
});

test("another path is another socket, with a value of its own", async () => {
  await show(<News path="/ws/news/" />);
  await draw(() => line(1).greets());
  await show(<News path="/ws/weather/" />);
  expect(page.textContent).toBe("connecting 0 /");
  expect(line(2).url.pathname).toBe("/ws/weather/");
  await draw(() => {}, 1000);
  expect(FakeSocket.all.map(({ readyState }) => readyState)).toEqual([3, 0]);
});

test("a break is shown, and what was there stays", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  await show(<News />);
  await draw(() => line(1).greets());
  await draw(() => line(1).says("news", { news_id: 4, title: "Rain" }));
  await draw(() => line(1).ends(1012));
  expect(page.textContent).toBe("reconnecting 1 Rain/");
  await draw(() => {}, 250);
  await draw(() => line(2).greets());
  expect(line(2).url.search).toBe("?since=4");
  expect(page.textContent).toBe("connected 2 Rain/");
});

test("frames can be sent and requests made, by functions that stay the same", async () => {
  await show(<News />);
  const { send, request } = live;
  expect(send({ type: "typing" })).toBe(false);
  await expect(request({ type: "count" })).rejects.toMatchObject({ code: "offline" });
  await draw(() => line(1).greets());
  expect([live.send, live.request]).toEqual([send, request]);
  expect(send({ type: "typing" })).toBe(true);
  const sum = request({ type: "count" });
  await draw(() => line(1).says("reply", { id: 1, sum: 3 }));
  expect(await sum).toMatchObject({ sum: 3 });
  expect(line(1).sent).toEqual([{ type: "typing" }, { type: "count", id: 1 }]);
});

test("a request before there is a connection is refused, not lost", async () => {
  const codes: string[] = [];
  await show(<News>{<Hasty refused={(code) => codes.push(code)} />}</News>);
  expect(codes).toEqual(["offline"]);
});

test("useFrames hears each frame at once, for as long as its component is there", async () => {
  const frames: string[] = [];
  const later: string[] = [];
  const tree = (to?: string[]) => (
    <StrictMode>
      <News />
      {to && <Listener to={({ type }) => to.push(type)} />}
    </StrictMode>
  );
  await show(tree(frames));
  await draw(() => line(1).greets(), 0);
  line(1).says("news", { news_id: 4, title: "Rain" });
  line(1).says("news", { news_id: 4, title: "Rain" });
  expect(frames).toEqual(["connection_established", "news"]);
  await show(tree(later));
  line(1).says("votes");
  await show(tree());
  line(1).says("votes");
  await draw(() => {});
  expect([frames.length, later]).toEqual([2, ["votes"]]);
});

test("useFrames says what is missing where nobody has opened the socket", async () => {
  await expect(show(<Listener to={() => {}} />)).rejects.toThrow("call useWebSocket");
});
