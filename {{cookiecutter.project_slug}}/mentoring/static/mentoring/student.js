import { sendInPlace } from "../events/events.js";
import { follow } from "./follow.js";

const form = document.getElementById("write");
follow("student_event");
if (form) sendInPlace(form);
