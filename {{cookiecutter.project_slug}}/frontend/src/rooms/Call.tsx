import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Avatar } from "./Avatar";
import type { Call as CallOf, Peer, Status } from "./call.js";
import { Devices } from "./Devices";
import { type Person, say } from "./room";
import type { RoomCall } from "./useCall";

const STATES: Record<string, string> = {
  connecting: "Connecting",
  lost: "Connection lost",
  failed: "No connection",
};
const PATHS = {
  camera: "M3 7h11v10H3zM14 11l7-4v10l-7-4",
  microphone: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3M6 11a6 6 0 0 0 12 0M12 17v4",
  screen: "M3 4h18v12H3zM8 20h8M12 16v4M12 13V7M9 10l3-3 3 3",
  devices: "M3 7h11M18 7h3M16 4v6M3 17h3M10 17h11M8 14v6",
  leave: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
};

function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface JoinCallProps {
  call: RoomCall;
  people: Person[];
  connected: boolean;
}

/** Who is in the call, and the way into it, for who is not. */
export function JoinCall({ call: { call, inside }, people, connected }: JoinCallProps) {
  const words = say(people, "in a call");
  const button = useFocusOnReturn(inside, false);
  return (
    <div className="outside" id="call-outside" hidden={inside || !call}>
      <p className="muted" id="in-call" role="status">
        {words && `${words}.`}
      </p>
      <button
        type="button"
        id="call-join"
        ref={button}
        disabled={!connected}
        onClick={() => call?.join({ video: true })}
      >
        <Icon name="camera" /> <span>{people.length ? "Join the call" : "Start a call"}</span>
      </button>
    </div>
  );
}

interface CallProps {
  call: RoomCall;
  me: Person;
  children: ReactNode; // what is to be seen above it
}

/** The call as people see it: pictures, buttons, and a plain line where something is amiss. */
export function Call({ call: { call, inside, notices, tell }, me, children }: CallProps) {
  const tiles = useRef<HTMLUListElement>(null);
  const [silent, setSilent] = useState(false);

  // A browser may want a click before it lets a page be heard.
  async function play(video: HTMLVideoElement) {
    try {
      await video.play();
      setSilent(false);
    } catch (error) {
      if ((error as Error).name === "NotAllowedError") setSilent(true);
    }
  }

  return (
    <section className="call" id="call" aria-label="Call">
      {children}
      <div className="inside" id="call-inside" hidden={!inside}>
        <ul className="tiles" id="tiles" aria-label="In the call" ref={tiles}>
          {call && inside && <Tiles call={call} me={me} play={play} />}
        </ul>
        {call && <Controls call={call} inside={inside} tell={tell} />}
      </div>
      <div className="notices" id="call-notices" role="status">
        {Object.entries(notices).map(([subject, text]) => (
          <p key={subject}>{text}</p>
        ))}
      </div>
      <button
        type="button"
        className="quiet"
        id="listen"
        hidden={!silent || !inside}
        onClick={() => tiles.current?.querySelectorAll("video").forEach((video) => void play(video))}
      >
        Let me hear the others
      </button>
      {call && <Devices media={call.media} />}
    </section>
  );
}

function Controls({ call, inside, tell }: { call: CallOf; inside: boolean; tell: RoomCall["tell"] }) {
  const { media } = call;
  const { muted, video } = call.status;
  const mute = useFocusOnReturn(inside, true);

  async function share() {
    tell({ subject: "screen" });
    if (media.sharing) return media.stopSharing();
    try {
      await media.share();
    } catch (error) {
      const { name, message } = error as Error;
      if (name === "NotAllowedError") return;
      tell({ subject: "screen", text: `The screen cannot be shared. ${message}` });
    }
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would look different
    <div className="controls" role="group" aria-label="Your part in the call">
      <button
        type="button"
        className="quiet"
        id="mute"
        ref={mute}
        aria-pressed={muted}
        onClick={() => media.mute(!muted)}
      >
        <Icon name="microphone" /> <span>Mute</span>
      </button>
      <button
        type="button"
        className="quiet"
        id="camera-off"
        aria-pressed={!media.camera}
        onClick={() => media.turnCamera(!media.camera)}
      >
        <Icon name="camera" /> <span>Camera off</span>
      </button>
      <button
        type="button"
        className="quiet"
        id="share"
        aria-pressed={video === "screen"}
        hidden={!media.canShare}
        onClick={share}
      >
        <Icon name="screen" /> <span>Share screen</span>
      </button>
      <button type="button" className="quiet" popoverTarget="devices">
        <Icon name="devices" /> <span>Devices</span>
      </button>
      <button type="button" className="leave" id="leave" onClick={() => call.leave()}>
        <Icon name="leave" /> <span>Leave</span>
      </button>
      <button
        type="button"
        className="quiet"
        id="end"
        hidden={!call.host}
        onClick={() => confirm("End the call for everybody?") && call.end()}
      >
        End for all
      </button>
    </div>
  );
}

interface TilesProps {
  call: CallOf;
  me: Person;
  play: (video: HTMLVideoElement) => void;
}

function Tiles({ call, me, play }: TilesProps) {
  const { video } = call.media.tracks;
  const own = useMemo(() => new MediaStream(video ? [video] : []), [video]); // our picture, without our voice
  return (
    <>
      <Tile own user={me} stream={own} status={call.status} state="connected" play={play} />
      {[...call.members.values()].map(({ user, peer }) => (
        <Tile
          key={user.id}
          user={user}
          stream={peer?.stream}
          status={peer?.status}
          state={peer?.state ?? "connecting"}
          play={play}
        />
      ))}
    </>
  );
}

interface TileProps {
  user: Person;
  own?: boolean;
  stream: MediaStream | undefined;
  status: Status | undefined;
  state: Peer["state"];
  play: (video: HTMLVideoElement) => void;
}

function Tile({ user, own = false, stream, status, state, play }: TileProps) {
  const element = useRef<HTMLVideoElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is played when there is another stream
  useEffect(() => {
    if (!element.current) return;
    element.current.srcObject = stream ?? null;
    if (stream) play(element.current);
  }, [stream]);
  const { muted = false, video = "none" } = status ?? {};
  return (
    <li className={own ? "tile own" : "tile"} data-video={video} data-state={state}>
      <video autoPlay playsInline muted={own} ref={element} />
      <Avatar user={user} />
      <p className="caption">
        <span className="name">{own ? "You" : user.username}</span>{" "}
        <span className="muted-sign" hidden={!muted}>
          muted
        </span>{" "}
        <span className="is-state">{STATES[state]}</span>
      </p>
    </li>
  );
}

/** A button that is focused when `inside` becomes `wanted` after the one was used that leads there. */
function useFocusOnReturn(inside: boolean, wanted: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(inside);
  useEffect(() => {
    // The button that was used is hidden now, so nothing has the focus, or still it.
    const { activeElement } = document;
    const free = activeElement === document.body || activeElement?.closest("[hidden]");
    if (was.current !== inside && inside === wanted && free) button.current?.focus();
    was.current = inside;
  }, [inside, wanted]);
  return button;
}
