import { type Change, LONGEST } from "./dashboard";

const SPANS = [1, 2, 5].map((minutes) => minutes * 60_000); // ms that a chart goes back, as soon as there is enough

export const [WIDTH, HEIGHT] = [600, 160]; // of a chart, in its own units

export interface Chart {
  line: string; // as the `d` of a path
  area: string;
  top: number; // the value at the upper edge; the lower one is 0
  low: number;
  high: number;
  minutes: number; // that it goes back
}

/** Draw how a figure changed up to `now`, in steps, since it is what it is until it changes.

    It is known until `end`, which is earlier while there is no connection. Undefined: there is nothing to draw. */
export function draw(changes: readonly Change[], now: number, end = now): Chart | undefined {
  const values = changes.flatMap(([, value]) => value ?? []);
  const begin = changes[0]?.[0];
  if (begin === undefined || !values.length) return undefined;
  const span = SPANS.find((span) => span >= now - begin) ?? LONGEST;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const top = roundUp(high);
  const x = (when: number) => round(Math.max(0, 1 - (now - when) / span) * WIDTH);
  const y = (value: number) => round((1 - Math.max(0, value) / top) * HEIGHT);
  let [line, area] = ["", ""];
  changes.forEach(([when, value], index) => {
    const until = changes[index + 1]?.[0] ?? end;
    if (value === null || until < now - span) return;
    const goesOn = line && changes[index - 1]?.[1] !== null;
    line += `${goesOn ? "V" : `M${x(when)} `}${y(value)}H${x(until)}`;
    area += `M${x(when)} ${HEIGHT}V${y(value)}H${x(until)}V${HEIGHT}Z`;
  });
  return { line, area, top, low, high, minutes: span / 60_000 };
}

/** The next of 1, 2, 5, 10, 20, 50, ... */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 1;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
