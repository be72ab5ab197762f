import { useEffect, useState } from "react";
import type { Kind, Media } from "./media.js";

const SELECTS: [Kind, string, string][] = [
  ["audio", "microphone", "Microphone"],
  ["video", "camera", "Camera"],
];

type Found = Record<Kind, MediaDeviceInfo[]>;

/** Which microphone and which camera are used. */
export function Devices({ media }: { media: Media }) {
  const [found, setFound] = useState<Found>({ audio: [], video: [] });

  useEffect(() => {
    let here = true;
    const look = async () => {
      const [audio, video] = await Promise.all([media.devices("audio"), media.devices("video")]);
      if (here) setFound({ audio, video });
    };
    media.addEventListener("devices", look);
    return () => {
      here = false;
      media.removeEventListener("devices", look);
    };
  }, [media]);

  const used = { audio: media.tracks.audio, video: media.camera };
  return (
    <div className="card devices" id="devices" popover="" role="dialog" aria-label="Devices">
      {SELECTS.map(([kind, id, label]) => (
        <Choice
          key={kind}
          id={id}
          label={label}
          devices={found[kind]}
          used={used[kind]?.getSettings().deviceId}
          choose={(device) => media.choose(kind, device)}
        />
      ))}
    </div>
  );
}

interface ChoiceProps {
  id: string;
  label: string;
  devices: MediaDeviceInfo[];
  used: string | undefined;
  choose: (device: string) => void;
}

function Choice({ id, label, devices, used, choose }: ChoiceProps) {
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        disabled={!devices.length}
        value={used ?? ""}
        onChange={(event) => choose(event.target.value)}
      >
        {!devices.length && <option value="">None found</option>}
        {devices.map(({ deviceId, label }, n) => (
          <option key={deviceId} value={deviceId}>
            {label || `${id} ${n + 1}`}
          </option>
        ))}
      </select>
    </>
  );
}
