/* Who is in a room's call, and the connection to each of them (see peer.js).

   Who is in it, the server says. Of two participants the one with the lower id makes the first offer; if it is the
   other one who joins, they say `hello`. So the signals that `webrtc_signal` carries are {hello: true}, and
   {connection, first, description, candidates}, where `connection` keeps those apart that went to an earlier one.

   Events: `change`, and `notice` with {subject, text}: what people should know, until there is no text. */

import { Media } from "./media.js";
import { Peer } from "./peer.js";

const GRACE = 20_000; // ms that who is gone for the server may still be heard: their page, or the server, comes back
const REPAIR = 5_000; // ms until something that failed, or was not answered, is tried again
const RENEW = 45 * 60_000; // ms; passwords of TURN servers hold for an hour
const FINAL = ["call_full", "not_allowed", "unknown_type", "closed"]; // refusals that another try would not change
const KINDS = ["audio", "video"];

const newId = () => crypto.getRandomValues(new BigUint64Array(1)).join(); // randomUUID() would need HTTPS

export class Call extends EventTarget {
  session = null; // of our visit to the call; null: we are not in it
  host = false;
  members = new Map(); // user id -> { user, peer, connection, leaving, meeting }: the others in the call
  #socket;
  #me;
  #iceServers = [];
  #life = new AbortController(); // ends with close()
  media = new Media(this.#life.signal);

  /** `known`, if the socket has been greeted already: who is in the call, and whether we are the host. */
  constructor(socket, me, known) {
    super();
    const { signal } = this.#life;
    const on = (type, handler) => signal.addEventListener("abort", socket.on(type, handler));
    this.#socket = socket;
    this.#me = me;
    this.host = known?.host ?? false;
    for (const user of known?.call ?? []) this.#arrive(user);
    on("connection_established", ({ call, host }) => {
      this.host = host;
      if (this.session) return this.#enter();
      this.members.clear();
      for (const user of call) this.#arrive(user);
      this.#changed();
    });
    on("call_presence", ({ event, user }) => {
      if (event === "leave") this.#part(user.id);
      else this.#arrive(user)?.peer?.restart(); // they may have missed an offer
      this.#changed();
    });
    on(
      "call_moved",
      ({ session }) => session !== this.session && this.#quit("The call goes on in another tab."),
    );
    on("call_ended", () => {
      this.#quit("The host has ended the call.");
      this.members.clear();
      this.#changed();
    });
    on("webrtc_signal", ({ from, signal }) => this.session && this.#hear(this.members.get(from), signal));
    on("state", ({ state, reason }) => this.#follow(state, reason));
    this.media.addEventListener("change", () => this.session && this.#send());
    const renewal = setInterval(() => this.session && socket.state === "connected" && this.#enter(), RENEW);
    signal.addEventListener("abort", () => clearInterval(renewal));
    // So that nobody has to wait for it.
    addEventListener("pagehide", () => this.members.forEach((member) => void this.#drop(member)), { signal });
  }

  /** Leave, and hear and say nothing any more. */
  close() {
    if (this.session) this.leave();
    for (const id of this.members.keys()) this.#remove(id);
    this.#life.abort();
  }

  async join({ video, muted = false }) {
    if (this.session) return;
    const session = newId();
    this.session = session;
    this.media.muted = muted;
    this.#notice("call");
    this.#changed();
    await this.media.open({ video });
    if (session === this.session && this.#socket.state === "connected") await this.#enter();
  }

  leave() {
    this.#socket.send({ type: "call_leave" });
    this.#quit();
  }

  /** End the call for all, as the host may. */
  async end() {
    await this.#socket.request({ type: "call_end" }).catch(({ message }) => this.#notice("call", message));
  }

  /** What the others are told about us. */
  get status() {
    const { media } = this;
    return {
      muted: media.muted || !media.tracks.audio,
      video: media.sharing ? "screen" : media.camera ? "camera" : "none",
    };
  }

  // Also after the connection came back: the server may have been started anew, and know nothing of the call.
  async #enter() {
    const { session } = this;
    const known = [...this.members.keys()];
    try {
      const { participants, ice_servers } = await this.#socket.request({ type: "call_join", session });
      if (session !== this.session) return;
      this.#iceServers = ice_servers;
      this.#notice("call");
      const here = new Set(participants.map(({ id }) => id));
      for (const id of known) {
        if (here.has(id)) this.members.get(id)?.peer?.restart(ice_servers);
        else this.#part(id);
      }
      for (const member of participants.map((user) => this.#arrive(user))) {
        if (!member.peer) this.#meet(member);
      }
      this.#changed();
    } catch ({ code, message }) {
      if (session !== this.session || code === "offline") return;
      if (FINAL.includes(code)) return this.#quit(message);
      this.#notice("call", message);
      setTimeout(
        () => session === this.session && this.#socket.state === "connected" && this.#enter(),
        REPAIR,
      );
    }
  }

  #quit(reason) {
    if (!this.session) return;
    this.session = null;
    for (const [id, member] of this.members) {
      this.#drop(member);
      if (member.leaving) this.#remove(id);
    }
    this.media.close();
    for (const subject of ["server", ...KINDS]) this.#notice(subject);
    this.#notice("call", reason);
    this.#changed();
  }

  #follow(state, reason) {
    if (state === "closed") this.#quit(reason);
    if (!this.session) return;
    this.#notice(
      "server",
      state !== "connected" && "The server does not answer. Whom you see here, you go on seeing.",
    );
    if (state === "connected") return;
    for (const member of this.members.values()) member.leaving = clearTimeout(member.leaving); // nobody can tell
  }

  #arrive(user) {
    if (user.id === this.#me.id) return;
    const member = this.members.get(user.id) ?? { user };
    member.leaving = clearTimeout(member.leaving);
    this.members.set(user.id, member);
    return member;
  }

  // Who is gone for the server, but goes on talking to us, is waited for.
  #part(id) {
    const member = this.members.get(id);
    if (member?.peer?.state === "connected") member.leaving ??= setTimeout(() => this.#remove(id), GRACE);
    else this.#remove(id);
  }

  #remove(id) {
    const member = this.members.get(id);
    if (!member) return;
    this.#drop(member);
    clearTimeout(member.leaving);
    this.members.delete(id);
    this.#changed();
  }

  #drop(member) {
    member.peer?.close();
    member.peer = undefined;
    this.#notice(`peer-${member.user.id}`);
  }

  #meet(member) {
    if (this.#me.id < member.user.id) return this.#connect(member, newId()).begin();
    this.#signal(member.user.id, { hello: true });
    this.#meetLater(member);
  }

  #meetLater(member) {
    const alone = () => this.session && this.members.get(member.user.id) === member && !member.peer;
    clearTimeout(member.meeting);
    member.meeting = setTimeout(() => alone() && this.#meet(member), REPAIR);
  }

  #hear(member, { hello, connection, first, ...what }) {
    if (!member) return;
    const offers = this.#me.id < member.user.id;
    if (hello && offers) this.#meet(member);
    if (first && !offers && connection !== member.connection) this.#connect(member, connection);
    if (connection === member.connection) member.peer?.receive(what);
  }

  #connect(member, connection) {
    const { user } = member;
    this.#drop(member);
    const peer = new Peer({
      polite: this.#me.id > user.id,
      iceServers: this.#iceServers,
      tracks: this.media.tracks,
      send: (what) => this.#signal(user.id, { connection, ...what }),
    });
    peer.addEventListener("change", () => {
      if (member.leaving && peer.state !== "connected") return this.#remove(user.id);
      const help = this.#iceServers.some(({ urls }) => urls.startsWith("turn"))
        ? "A firewall may be in the way."
        : "From some networks that takes a TURN server, and this site has none.";
      const failed = peer.state === "failed";
      this.#notice(`peer-${user.id}`, failed && `There is no connection to ${user.username}. ${help}`);
      this.#changed();
    });
    peer.addEventListener("close", () => {
      this.#drop(member);
      if (member.leaving) return this.#remove(user.id);
      this.#meetLater(member);
      this.#changed();
    });
    peer.tell(this.status);
    Object.assign(member, { peer, connection });
    this.#changed();
    return peer;
  }

  #signal(to, signal) {
    this.#socket.send({ type: "webrtc_signal", to, signal });
  }

  // What our devices give, to all.
  #send() {
    const { problems, tracks } = this.media;
    for (const { peer } of this.members.values()) {
      for (const kind of KINDS) peer?.replace(kind, tracks[kind]);
      peer?.tell(this.status);
    }
    this.#notice("audio", problems.audio);
    this.#notice("video", problems.video !== problems.audio && problems.video);
    this.#changed();
  }

  #notice(subject, text) {
    this.dispatchEvent(new CustomEvent("notice", { detail: { subject, text } }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
