import { ErrorList, type Errors, Field } from "../forms";

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A time as the browser's input takes it, by the reader's own clock. */
function toLocal(iso: string | null | undefined): string {
  if (!iso) return "";
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

interface Settings {
  name: string;
  is_open: boolean;
  waits: boolean;
  starts_at: string | null;
  ends_at: string | null;
}

/** The fields of a room, as its host wants it. */
export function RoomFields({ room, errors, open }: { room?: Settings; errors: Errors; open?: boolean }) {
  return (
    <>
      <ErrorList list={errors.__all__} />
      <ErrorList list={errors.time_zone} />
      <Field name="name" label="Name" maxLength={100} required defaultValue={room?.name} errors={errors} />
      <details open={open || Object.keys(errors).length > 0}>
        <summary>Who may come in, and when</summary>
        <Field
          name="by_invitation"
          label="By invitation"
          type="checkbox"
          defaultChecked={room && !room.is_open}
          help="Only those whom you invite may come in."
          errors={errors}
        />
        <Field
          name="waits"
          label="Waiting room"
          type="checkbox"
          defaultChecked={room?.waits}
          help="Who comes waits until you let them in."
          errors={errors}
        />
        <Field
          name="starts_at"
          label="Beginning"
          type="datetime-local"
          defaultValue={toLocal(room?.starts_at)}
          help="Before it nobody may come in."
          errors={errors}
        />
        <Field
          name="ends_at"
          label="End"
          type="datetime-local"
          defaultValue={toLocal(room?.ends_at)}
          help="It closes the room for all who are in it."
          errors={errors}
        />
        <p id="zone">Times are in your time zone, {ZONE}.</p>
      </details>
    </>
  );
}
