import type { Person } from "./room";

/** A user's initials, in a colour of their own. */
export function Avatar({ user: { id, username } }: { user: Person }) {
  const hue = ((id ?? 0) * 137) % 360; // the golden angle: neighbours differ most
  return (
    <span className="avatar" aria-hidden="true" style={{ "--hue": hue } as React.CSSProperties}>
      {username.slice(0, 2)}
    </span>
  );
}
