/* The connection to one other participant: sound and picture both ways, and a channel for what else they tell.

   Either side may offer anew at any time; if both do at once, the polite one gives in. This is "perfect
   negotiation": https://www.w3.org/TR/webrtc/#perfect-negotiation-example. Only the first offer is always the
   impolite one's. Each begins with its own transceivers, so that a camera or a screen is a track that is
   replaced, without negotiating again.

   Events: `change` (of state, status or stream), and `close` when the other one closed it. */

const KINDS = ["audio", "video"];
const GATHERING = 50; // ms that a candidate waits for others, to go with them in one frame
const PATIENCE = 15_000; // ms without a connection after which it counts as failed, and is tried anew
const AGAIN = 2_000; // ms until another way is looked for

export class Peer extends EventTarget {
  state = "connecting"; // connected; lost: it was connected; failed: for too long not
  status = {}; // as they told last
  stream = new MediaStream(); // what comes from them
  #pc;
  #polite;
  #send;
  #tracks;
  #channel;
  #told; // as we told last
  #candidates = [];
  #received = Promise.resolve(); // signals are taken one after the other
  #offering = false;
  #ignoring = false;
  #met = false;
  #deadline;
  #again;

  /** `send(signal)` brings a signal to the other side; `tracks` are ours: {audio, video}, each may be missing. */
  constructor({ polite, iceServers, tracks, send }) {
    super();
    this.#polite = polite;
    this.#tracks = { ...tracks };
    this.#send = send;
    this.#pc = new RTCPeerConnection({ iceServers });
    this.#pc.onnegotiationneeded = () => this.#offer();
    this.#pc.onconnectionstatechange = () => this.#look();
    this.#pc.onicecandidate = ({ candidate }) => candidate && this.#gather(candidate);
    this.#pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      this.#changed();
    };
    this.#look();
  }

  /** Make the first offer. */
  begin() {
    const streams = [new MediaStream()]; // one for both, which keeps lips and words together
    for (const kind of KINDS)
      this.#pc.addTransceiver(this.#tracks[kind] ?? kind, { direction: "sendrecv", streams });
    this.#open();
  }

  /** Take a signal of the other side. */
  receive(signal) {
    this.#received = this.#received
      .then(() => this.#take(signal))
      .catch((error) => this.#closed || console.warn(error));
  }

  /** Send another track of this kind from now on, or null. */
  async replace(kind, track) {
    this.#tracks[kind] = track;
    await this.#sender(kind)?.replaceTrack(track);
  }

  /** Tell the other side something about us, also when the server is away. */
  tell(status) {
    this.#told = JSON.stringify(status);
    if (this.#channel?.readyState === "open") this.#channel.send(this.#told);
  }

  /** Look for a way again if there is none; an offer that may have been lost is sent again. */
  restart(iceServers) {
    if (iceServers) this.#pc.setConfiguration({ iceServers });
    if (this.#pc.signalingState === "have-local-offer") this.#describe();
    else if (this.#pc.connectionState !== "connected") this.#pc.restartIce();
  }

  close() {
    clearTimeout(this.#deadline);
    clearTimeout(this.#again);
    if (this.#channel) this.#channel.onclose = null;
    this.#pc.close();
    this.#pc.onconnectionstatechange = null;
  }

  get #closed() {
    return this.#pc.signalingState === "closed";
  }

  #sender(kind) {
    return this.#pc.getTransceivers().find(({ receiver }) => receiver.track.kind === kind)?.sender;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  // Agreed on by both sides beforehand, by its number, so that neither has to wait for the other's.
  #open() {
    this.#channel = this.#pc.createDataChannel("status", { negotiated: true, id: 0 });
    this.#channel.onopen = () => this.#told && this.#channel.send(this.#told);
    this.#channel.onmessage = ({ data }) => {
      this.status = JSON.parse(data) ?? {};
      this.#changed();
    };
    this.#channel.onclose = () => this.dispatchEvent(new Event("close"));
  }

  async #offer() {
    try {
      this.#offering = true;
      await this.#pc.setLocalDescription();
      this.#describe();
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#offering = false;
    }
  }

  #describe() {
    this.#send({ first: !this.#pc.remoteDescription, description: this.#pc.localDescription });
  }

  async #take({ description, candidates = [] }) {
    if (description) {
      const busy = this.#offering || this.#pc.signalingState !== "stable";
      this.#ignoring = !this.#polite && description.type === "offer" && busy;
      if (this.#ignoring) return;
      if (description.type === "answer" && this.#pc.signalingState !== "have-local-offer") return; // to one sent twice
      await this.#pc.setRemoteDescription(description);
      if (description.type === "offer") await this.#answer();
    }
    for (const candidate of candidates) {
      await this.#pc.addIceCandidate(candidate).catch((error) => {
        if (!this.#ignoring) throw error;
      });
    }
  }

  async #answer() {
    if (!this.#channel) {
      const stream = new MediaStream();
      for (const transceiver of this.#pc.getTransceivers()) {
        transceiver.direction = "sendrecv";
        transceiver.sender.setStreams?.(stream);
      }
      await Promise.all(KINDS.map((kind) => this.replace(kind, this.#tracks[kind] ?? null)));
      this.#open();
    }
    await this.#pc.setLocalDescription();
    this.#send({ description: this.#pc.localDescription });
  }

  #gather(candidate) {
    if (this.#candidates.push(candidate) > 1) return;
    setTimeout(() => this.#closed || this.#send({ candidates: this.#candidates.splice(0) }), GATHERING);
  }

  #look() {
    const { connectionState } = this.#pc;
    const connected = connectionState === "connected";
    if (connected) {
      this.#met = true;
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    } else {
      this.#deadline ??= setTimeout(() => this.#giveUp(), PATIENCE);
    }
    clearTimeout(this.#again);
    if (connectionState === "failed") this.#again = setTimeout(() => this.restart(), AGAIN);
    if (connected || this.state !== "failed")
      this.#become(connected ? "connected" : this.#met ? "lost" : "connecting");
  }

  #giveUp() {
    this.#deadline = undefined;
    this.#become("failed");
    this.restart();
    this.#look();
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.#changed();
  }
}
