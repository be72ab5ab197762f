// The client is one file for all pages; some, such as the admin's, are Django's own.
export * from "../../../static/realtime.js";
