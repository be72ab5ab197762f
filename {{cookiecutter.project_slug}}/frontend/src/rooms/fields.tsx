import { type ComponentProps, type FormEvent, useState } from "react";
import { ApiError, api } from "../api";

type Errors = Record<string, string[]>;

/** Send the fields of a form to a path. `errors` are what Django finds wrong, by field; `done` gets its answer. */
export function useForm<T>(path: string, done: (answer: T, form: HTMLFormElement) => void, more = {}) {
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const values = Object.fromEntries(new FormData(form));
    setBusy(true);
    try {
      const answer = await api<T>(path, { ...values, ...more });
      setErrors({});
      done(answer, form);
    } catch (error) {
      const found = error instanceof ApiError ? error.errors : {};
      setErrors(Object.keys(found).length ? found : { __all__: [(error as Error).message] });
    }
    setBusy(false);
  }
  return { errors, busy, onSubmit };
}

export function Errors({ list, id }: { list: string[] | undefined; id?: string }) {
  if (!list) return null;
  return (
    <div role="alert">
      <ul className="errorlist" id={id}>
        {list.map((error) => (
          <li key={error}>{error}</li>
        ))}
      </ul>
    </div>
  );
}

interface FieldProps extends ComponentProps<"input"> {
  name: string;
  label: string;
  help?: string;
  errors: Errors;
}

/** A field with its label, as Django's templates write it. */
export function Field({ name, label, help, errors, ...input }: FieldProps) {
  const id = `id_${name}`;
  const wrong = errors[name];
  const described = [help && `${id}_helptext`, wrong && `${id}_error`].filter(Boolean).join(" ");
  return (
    <>
      <label htmlFor={id}>{input.type === "checkbox" ? label : `${label}:`}</label>
      {help && (
        <div className="helptext" id={`${id}_helptext`}>
          {help}
        </div>
      )}
      <Errors list={wrong} id={`${id}_error`} />
      <input
        id={id}
        name={name}
        aria-invalid={!!wrong}
        aria-describedby={described || undefined}
        {...input}
      />
    </>
  );
}

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A time as the browser's input takes it, by the reader's own clock. */
export function toLocal(iso: string | null | undefined): string {
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
      <Errors list={errors.__all__} />
      <Errors list={errors.time_zone} />
      <div>
        <Field name="name" label="Name" maxLength={100} required defaultValue={room?.name} errors={errors} />
      </div>
      <details open={open || Object.keys(errors).length > 0}>
        <summary>Who may come in, and when</summary>
        <div className="check">
          <Field
            name="by_invitation"
            label="By invitation"
            type="checkbox"
            defaultChecked={room && !room.is_open}
            help="Only those whom you invite may come in."
            errors={errors}
          />
        </div>
        <div className="check">
          <Field
            name="waits"
            label="Waiting room"
            type="checkbox"
            defaultChecked={room?.waits}
            help="Who comes waits until you let them in."
            errors={errors}
          />
        </div>
        <div>
          <Field
            name="starts_at"
            label="Beginning"
            type="datetime-local"
            defaultValue={toLocal(room?.starts_at)}
            help="Before it nobody may come in."
            errors={errors}
          />
        </div>
        <div>
          <Field
            name="ends_at"
            label="End"
            type="datetime-local"
            defaultValue={toLocal(room?.ends_at)}
            help="It closes the room for all who are in it."
            errors={errors}
          />
        </div>
        <p id="zone">Times are in your time zone, {ZONE}.</p>
      </details>
    </>
  );
}
