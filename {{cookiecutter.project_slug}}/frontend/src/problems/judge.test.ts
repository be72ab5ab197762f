import { expect, test } from "vitest";
import { type Job, judge, reduce, type Submission } from "./judge";

const at = "2026-11-27T10:00:00Z";
const job = (more: Partial<Job>): Job => ({
  job_id: 1,
  kind: "solve",
  state: "queued",
  error: "",
  detail: "",
  problem: "sum",
  submission_id: null,
  attempt: 0,
  created_at: at,
  ...more,
});
const submission = (more: Partial<Submission>): Submission => ({
  submission_id: 1,
  problem: "sum",
  state: "queued",
  verdict: "",
  passed: 0,
  total: 4,
  detail: "",
  attempt: 0,
  created_at: at,
  ...more,
});
const submitted = (value: typeof judge.initial, more: Partial<Submission>) =>
  reduce(value, { type: "submission_changed", ...submission(more) });
const changed = (value: typeof judge.initial, more: Partial<Job>) =>
  reduce(value, { type: "job_changed", ...job(more) });

test("the newest come first, and each stands there once", () => {
  const value = reduce(judge.initial, {
    type: "problems_snapshot",
    submissions: [submission({ submission_id: 1 }), submission({ submission_id: 2 })],
    jobs: [job({ state: "done", error: "away", detail: "The model is away." })],
  });
  const now = submitted(submitted(value, { submission_id: 3 }), { submission_id: 1, state: "running" });
  expect(now.submissions.map(({ submission_id, state }) => [submission_id, state])).toEqual([
    [3, "queued"],
    [2, "queued"],
    [1, "running"],
  ]);
  expect(now.news.text).toBe(""); // what failed some other day is none
});

test("what comes late changes nothing", () => {
  const running = submitted(judge.initial, { state: "running", passed: 2, attempt: 1 });
  expect(submitted(running, { state: "queued", attempt: 1 })).toBe(running);
  expect(submitted(running, { state: "running", passed: 1, attempt: 1 })).toBe(running);
  expect(submitted(running, { state: "queued", attempt: 2 }).submissions[0]?.state).toBe("queued");
});

test("a verdict is news to who has seen the submission wait", () => {
  const verdict = { state: "judged", verdict: "wrong_answer" };
  expect(submitted(judge.initial, verdict).news.text).toBe("");
  const waiting = submitted(judge.initial, {});
  expect(submitted(waiting, verdict).news).toEqual({ problem: "sum", text: "Your program: wrong answer." });
});

test("what a model does is news, and why nothing came of it", () => {
  const queued = changed(judge.initial, {});
  expect(queued.news.text).toBe("A model is asked for a solution.");
  const running = changed(queued, { state: "running" });
  expect(running.news.text).toBe("A model writes a solution.");
  expect(changed(running, { state: "done" }).news.text).toBe("");
  expect(changed(running, { state: "done", error: "away", detail: "It is away." }).news.text).toBe(
    "It is away.",
  );
  expect(changed(judge.initial, { kind: "extract" }).news.text).toBe("");
});

test("a page holds a hundred of each", () => {
  let value = judge.initial;
  for (let id = 1; id <= 150; id++) {
    value = submitted(value, { submission_id: id });
    value = changed(value, { job_id: id });
  }
  expect([value.submissions.length, value.jobs.length, value.jobs[0]?.job_id]).toEqual([100, 100, 150]);
});
