import { expect, test } from "vitest";
import { draw, roundUp } from "./chart";

const NOW = 1_000_000;
const MINUTE = 60_000;

test("a figure that has just come is a line from where it came to now", () => {
  expect(draw([[NOW - MINUTE / 2, 8]], NOW)).toEqual({
    line: "M300 32H600",
    area: "M300 160V32H600V160Z",
    top: 10,
    low: 8,
    high: 8,
    minutes: 1,
  });
});

test("a figure that changes is drawn in steps", () => {
  const chart = draw(
    [
      [NOW - MINUTE, 10],
      [NOW - MINUTE / 2, 0],
    ],
    NOW,
  );
  expect(chart?.line).toBe("M0 0H300V160H600");
});

test("while there was no connection there is no line", () => {
  const chart = draw(
    [
      [NOW - MINUTE, 10],
      [NOW - MINUTE * 0.75, null],
      [NOW - MINUTE / 2, 10],
    ],
    NOW,
    NOW - MINUTE / 4,
  );
  expect(chart?.line).toBe("M0 0H150M300 0H450");
});

test("it goes back as far as there is something, up to five minutes", () => {
  const since = [0.5, 1.5, 3, 60].map((minutes) => draw([[NOW - minutes * MINUTE, 1]], NOW)?.minutes);
  expect(since).toEqual([1, 2, 5, 5]);
  expect(draw([[NOW - 60 * MINUTE, 1]], NOW)?.line).toBe("M0 0H600");
});

test("what is not known yet is not drawn", () => {
  expect(draw([], NOW)).toBeUndefined();
  expect(draw([[NOW, null]], NOW)).toBeUndefined();
});

test("the upper edge is a round number", () => {
  expect([0, 0.3, 1, 1.5, 3, 7, 10, 11, 450].map(roundUp)).toEqual([1, 1, 1, 2, 5, 10, 10, 20, 500]);
});
