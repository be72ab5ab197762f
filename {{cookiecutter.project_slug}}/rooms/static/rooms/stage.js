/* The call as people see it: pictures, buttons, and a plain line where something is amiss. */

import { fromTemplate } from "../ui.js";
import { showAvatar } from "./avatar.js";
import { Call } from "./call.js";

const SELECTS = { audio: "microphone", video: "camera" };
const STATES = { connecting: "Connecting", lost: "Connection lost", failed: "No connection" };
const BEFORE = { stream: null, status: {}, state: "connecting" }; // there is a connection

const $ = (id) => document.getElementById(id);

/** Show the call of a room, whose socket this is, to `me`: {id, username}. */
export function showCall(socket, me) {
  const section = $("call");
  const tiles = new Map(); // user id -> element
  const memory = `call ${location.pathname}`; // in sessionStorage, while we are in the call
  const call = new Call(socket, me);
  const { media } = call;

  /* Buttons */

  const press = (id, pressed) => $(id).setAttribute("aria-pressed", pressed);
  $("call-join").addEventListener("click", async () => {
    await call.join({ video: true });
    $("mute").focus();
  });
  $("mute").addEventListener("click", () => media.mute(!call.status.muted));
  $("camera-off").addEventListener("click", () => media.turnCamera(!media.camera));
  $("share").addEventListener("click", async () => {
    notice({ subject: "screen" });
    if (media.sharing) return media.stopSharing();
    await media.share().catch(({ name, message }) => {
      if (name !== "NotAllowedError") notice({ subject: "screen", text: `The screen cannot be shared. ${message}` });
    });
  });
  $("leave").addEventListener("click", () => {
    call.leave();
    $("call-join").focus();
  });
  $("end").addEventListener("click", () => confirm("End the call for everybody?") && call.end());
  $("listen").addEventListener("click", () => section.querySelectorAll("video").forEach(play));

  media.addEventListener("devices", async () => {
    for (const [kind, id] of Object.entries(SELECTS)) {
      const devices = await media.devices(kind);
      const options = devices.map(({ label, deviceId }, n) => new Option(label || `${id} ${n + 1}`, deviceId));
      $(id).replaceChildren(...(options.length ? options : [new Option("None found", "")]));
      $(id).disabled = !options.length;
      const used = (kind === "audio" ? media.tracks.audio : media.camera)?.getSettings().deviceId;
      if (used) $(id).value = used;
    }
  });
  for (const [kind, id] of Object.entries(SELECTS)) {
    $(id).addEventListener("change", ({ target }) => media.choose(kind, target.value));
  }

  /* Pictures */

  function newTile(user) {
    const tile = fromTemplate("tile");
    tile.querySelector(".name").textContent = user.id === me.id ? "You" : user.username;
    tile.classList.toggle("own", user.id === me.id);
    tile.querySelector("video").muted = user.id === me.id;
    showAvatar(tile.querySelector(".avatar"), user);
    tiles.set(user.id, tile);
    $("tiles").append(tile);
    return tile;
  }

  // A browser may want a click before it lets a page be heard.
  async function play(video) {
    try {
      await video.play();
      $("listen").hidden = true;
    } catch ({ name }) {
      if (name === "NotAllowedError") $("listen").hidden = false;
    }
  }

  function showTile(user, { stream, status: { muted = false, video = "none" }, state }) {
    const tile = tiles.get(user.id) ?? newTile(user);
    const picture = tile.querySelector("video");
    if (picture.srcObject !== stream) {
      picture.srcObject = stream;
      if (stream) play(picture);
    }
    tile.dataset.video = video;
    tile.dataset.state = state;
    tile.querySelector(".muted-sign").hidden = !muted;
    tile.querySelector(".is-state").textContent = STATES[state] ?? "";
  }

  let own = new MediaStream(); // our picture, without our voice
  function showOwn() {
    const { video } = media.tracks;
    if (own.getTracks()[0] !== (video ?? undefined)) own = new MediaStream(video ? [video] : []);
    showTile(me, { stream: own, status: call.status, state: "connected" });
  }

  function show() {
    const inside = call.session !== null;
    const others = [...call.members.values()];
    section.closest(".room").classList.toggle("calling", inside);
    $("call-inside").hidden = !inside;
    $("call-outside").hidden = inside;
    if (inside) showInside(others);
    else showOutside(others.map(({ user }) => user.username));
    if (inside) sessionStorage.setItem(memory, JSON.stringify({ muted: media.muted, video: media.camera !== null }));
    else sessionStorage.removeItem(memory);
    const seen = new Set(inside ? [me.id, ...call.members.keys()] : []);
    for (const [id, tile] of tiles) {
      if (seen.has(id)) continue;
      tile.remove();
      tiles.delete(id);
    }
  }

  function showOutside(names) {
    const verb = names.length === 1 ? "is" : "are";
    $("in-call").textContent = names.length ? `${new Intl.ListFormat("en").format(names)} ${verb} in a call.` : "";
    $("call-join").querySelector("span").textContent = names.length ? "Join the call" : "Start a call";
    $("call-join").disabled = socket.state !== "connected";
  }

  function showInside(others) {
    const { muted, video } = call.status;
    press("mute", muted);
    press("camera-off", !media.camera);
    press("share", video === "screen");
    $("share").hidden = !media.canShare;
    $("end").hidden = !call.host;
    showOwn();
    for (const { user, peer } of others) showTile(user, peer ?? BEFORE);
  }

  // One line for each subject; without a text it goes.
  function notice({ subject, text }) {
    const lines = [...$("call-notices").children];
    const line = lines.find(({ dataset }) => dataset.subject === subject) ?? document.createElement("p");
    if (!text) return line.remove();
    line.dataset.subject = subject;
    if (line.textContent !== text) line.textContent = text;
    if (!line.isConnected) $("call-notices").append(line);
  }

  call.addEventListener("change", show);
  call.addEventListener("notice", ({ detail }) => notice(detail));
  socket.on("state", show);

  // A reload comes back into the call. A second tab, which knows of it too, would take it away from the first.
  const [{ type }] = performance.getEntriesByType("navigation");
  const before = type === "reload" && sessionStorage.getItem(memory);
  const entered = socket.on("connection_established", () => {
    entered();
    if (before) call.join(JSON.parse(before));
  });
  show();
}
