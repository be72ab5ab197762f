// As realtime.js, one file for all pages.
export * from "../../../static/topics.js";
