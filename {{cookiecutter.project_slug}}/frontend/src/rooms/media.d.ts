export type Kind = "audio" | "video";

/** Our own microphone, camera and screen. Events: `change`, `devices`. */
export class Media extends EventTarget {
  constructor(signal?: AbortSignal);
  readonly muted: boolean;
  readonly tracks: Record<Kind, MediaStreamTrack | null>;
  readonly camera: MediaStreamTrack | null;
  readonly sharing: boolean;
  readonly canShare: boolean;
  mute(muted: boolean): Promise<void>;
  turnCamera(on: boolean): Promise<void>;
  choose(kind: Kind, id: string): Promise<void>;
  share(): Promise<void>;
  stopSharing(): void;
  devices(kind: Kind): Promise<MediaDeviceInfo[]>;
}
