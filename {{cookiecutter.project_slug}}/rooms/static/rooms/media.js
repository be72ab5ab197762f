/* Our own microphone, camera and screen.

   Events: `change` when a track came, went or was muted, `devices` when there are others to choose from. */

const NAMES = { audio: "microphone", video: "camera" };
const LIKED = { audio: {}, video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { max: 30 } } }; // sent to up to five
const REASONS = {
  NotAllowedError: (name) =>
    `The browser does not let this page use the ${name}. Allow it beside the page's address, then turn it on here.`,
  NotFoundError: (name) => `No ${name} was found.`,
  NotReadableError: (name) => `The ${name} does not answer. Another program may be using it.`,
};
const INSECURE =
  "Browsers give a page the camera and the microphone over HTTPS only. Here you can watch, listen and write.";

export class Media extends EventTarget {
  muted = false;
  problems = {}; // kind -> why there is none
  #chosen = JSON.parse(localStorage.getItem("devices") ?? "{}"); // kind -> id of a device
  #tracks = { audio: null, video: null };
  #wanted = { audio: false, video: false };
  #screen = null;
  #life; // of one call

  /** Until `signal` is aborted, it sees which devices come and go. */
  constructor(signal) {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged(), { signal });
  }

  /** What is sent to the others. */
  get tracks() {
    return { audio: this.#tracks.audio, video: this.#screen ?? this.#tracks.video };
  }

  get camera() {
    return this.#tracks.video;
  }

  get sharing() {
    return this.#screen !== null;
  }

  get canShare() {
    return navigator.mediaDevices?.getDisplayMedia !== undefined;
  }

  /** Open the microphone and, if wanted, the camera, as far as there are any; `problems` says what is missing. */
  async open({ video }) {
    this.#life = new AbortController();
    this.#wanted = { audio: true, video };
    this.problems = {};
    await this.#open(video ? ["audio", "video"] : ["audio"]);
  }

  close() {
    this.#life?.abort();
    this.#wanted = { audio: false, video: false };
    this.problems = {};
    this.#put("audio", null);
    this.#put("video", null);
    this.stopSharing();
  }

  /** A muted microphone stays open, so that it is there at once; a camera that is off is closed, and its lamp goes out. */
  async mute(muted) {
    this.muted = muted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !muted;
    else if (!muted) await this.#open(["audio"]);
    this.#changed();
  }

  async turnCamera(on) {
    this.#wanted.video = on;
    delete this.problems.video;
    if (on) return this.#open(["video"]);
    this.#put("video", null);
    this.#changed();
  }

  /** Use this device from now on. */
  async choose(kind, id) {
    this.#chosen[kind] = id;
    localStorage.setItem("devices", JSON.stringify(this.#chosen));
    this.#wanted[kind] = true;
    await this.#open([kind]);
  }

  /** Send the screen, or a window, instead of the camera. Rejects if the person chose none. */
  async share() {
    const life = this.#life;
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
    const [screen] = stream.getVideoTracks();
    if (life.signal.aborted) return screen.stop();
    this.stopSharing();
    this.#screen = screen;
    screen.contentHint = "detail";
    screen.addEventListener("ended", () => screen === this.#screen && this.stopSharing()); // by the browser's button
    this.#changed();
  }

  stopSharing() {
    this.#screen?.stop();
    this.#screen = null;
    this.#changed();
  }

  /** The devices of a kind, as far as the browser tells. */
  async devices(kind) {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return devices.filter((device) => device.kind === `${kind}input` && device.deviceId);
  }

  // All at once, so that the browser asks once; then each on its own, since one may be missing.
  async #open(kinds) {
    const life = this.#life;
    try {
      if (!navigator.mediaDevices) throw new Error(INSECURE);
      const wanted = kinds.map((kind) => [kind, { ...LIKED[kind], deviceId: this.#device(kind) }]);
      const stream = await navigator.mediaDevices.getUserMedia(Object.fromEntries(wanted));
      for (const track of stream.getTracks()) {
        if (life.signal.aborted || !this.#wanted[track.kind]) track.stop();
        else this.#put(track.kind, track);
      }
    } catch (error) {
      if (life.signal.aborted) return;
      if (error.name === "OverconstrainedError" && kinds.some((kind) => this.#chosen[kind])) {
        for (const kind of kinds) delete this.#chosen[kind]; // it is not there
        return this.#open(kinds);
      }
      if (kinds.length > 1) for (const kind of kinds) await this.#open([kind]);
      else this.#fail(kinds[0], error);
    }
    this.#changed();
    this.dispatchEvent(new Event("devices")); // their names are known once one of them may be used
  }

  #device(kind) {
    return this.#chosen[kind] && { exact: this.#chosen[kind] };
  }

  #put(kind, track) {
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = track;
    if (!track) return;
    delete this.problems[kind];
    if (kind === "audio") track.enabled = !this.muted;
    track.addEventListener("ended", () => track === this.#tracks[kind] && this.#lose(kind)); // unplugged
  }

  #fail(kind, error) {
    this.problems[kind] = REASONS[error.name]?.(NAMES[kind]) ?? error.message;
  }

  async #lose(kind) {
    this.#put(kind, null);
    delete this.#chosen[kind];
    await this.#open([kind]);
  }

  // Whoever plugs in what was missing wants to use it.
  async #devicesChanged() {
    this.dispatchEvent(new Event("devices"));
    for (const kind of ["audio", "video"]) {
      const missing =
        this.#wanted[kind] &&
        !this.#tracks[kind] &&
        this.problems[kind] === REASONS.NotFoundError(NAMES[kind]);
      if (missing && (await this.devices(kind)).length) await this.#open([kind]);
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
