/* What a page knows of a user's own submissions and jobs, and how each frame changes it. */

import type { ServerFrame } from "../realtime/realtime.js";
import type { Channel } from "../realtime/useWebSocket";

const PATH = "/ws/problems/";
type Frame = ServerFrame<typeof PATH>;
type Snapshot = Extract<Frame, { type: "problems_snapshot" }>;
export type Submission = Snapshot["submissions"][number];
export type Job = Snapshot["jobs"][number];

const MOST = 100; // of each that a page holds
const ORDER = ["queued", "running", "judged", "done"];
const SAID: Record<string, string> = {
  queued: "A model is asked for a solution.",
  running: "A model writes a solution.",
};

export interface Judge {
  submissions: Submission[]; // newest first
  jobs: Job[];
  news: { problem: string; text: string }; // what has just become of a problem
}

export const judge: Channel<typeof PATH, Judge> = {
  initial: { submissions: [], jobs: [], news: { problem: "", text: "" } },
  reduce,
};

export function reduce(judge: Judge, frame: Frame): Judge {
  switch (frame.type) {
    case "problems_snapshot":
      return frame.jobs.reduce(takeJob, frame.submissions.reduce(takeSubmission, judge));
    case "submission_changed":
      return takeSubmission(judge, frame);
    case "job_changed":
      return takeJob(judge, frame);
    default:
      return judge;
  }
}

export const words = (name: string) => name.replaceAll("_", " ");

type Stage = { attempt: number; state: string; passed?: number };

/** Whether something is later than what is known; what was sent first may come in after a snapshot. */
function isNewer(one: Stage, other: Stage | undefined): boolean {
  if (!other || one.attempt !== other.attempt) return !other || one.attempt > other.attempt;
  const later = ORDER.indexOf(one.state) - ORDER.indexOf(other.state);
  return later > 0 || (later === 0 && (one.passed ?? 0) >= (other.passed ?? 0));
}

function takeSubmission(judge: Judge, submission: Submission): Judge {
  const { submission_id, problem, state, verdict } = submission;
  const known = judge.submissions.find((each) => each.submission_id === submission_id);
  if (!isNewer(submission, known)) return judge;
  const others = judge.submissions.filter((each) => each !== known);
  const submissions = [submission, ...others].sort((one, other) => other.submission_id - one.submission_id);
  const isNews = state === "judged" && known;
  const news = isNews ? { problem, text: `Your program: ${words(verdict)}.` } : judge.news;
  return { ...judge, submissions: submissions.slice(0, MOST), news };
}

function takeJob(judge: Judge, job: Job): Judge {
  const { job_id, kind, problem, state, error, detail } = job;
  const known = judge.jobs.find((each) => each.job_id === job_id);
  if (!isNewer(job, known)) return judge;
  const others = judge.jobs.filter((each) => each !== known);
  const jobs = [job, ...others].sort((one, other) => other.job_id - one.job_id);
  const isNews = kind === "solve" && (known || state !== "done"); // what failed some other day is none
  const news = isNews ? { problem: problem ?? "", text: error ? detail : (SAID[state] ?? "") } : judge.news;
  return { ...judge, jobs: jobs.slice(0, MOST), news };
}
