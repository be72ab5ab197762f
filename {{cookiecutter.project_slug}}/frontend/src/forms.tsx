import { type ComponentProps, type FormEvent, useEffect, useRef, useState } from "react";
import { ApiError, api } from "./api";

/** What is wrong with a form, by field; `__all__` is for what is wrong with all of it. */
export type Errors = Record<string, string[]>;

/** Send the fields of a form to a path, with what is in `more`. `errors` are what Django finds wrong; `done` gets its
    answer, unless the form has gone meanwhile. */
export function useForm<T>(path: string, done: (answer: T, form: HTMLFormElement) => void, more = {}) {
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const here = useRef(false);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const values = Object.fromEntries(new FormData(form));
    setBusy(true);
    try {
      const answer = await api<T>(path, { ...values, ...more });
      setErrors({});
      if (here.current) done(answer, form);
    } catch (error) {
      const found = error instanceof ApiError ? error.errors : {};
      setErrors(Object.keys(found).length ? found : { __all__: [(error as Error).message] });
    }
    setBusy(false);
  }
  return { errors, busy, onSubmit };
}

export function ErrorList({ list, id }: { list: string[] | undefined; id?: string }) {
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
  const isBox = input.type === "checkbox";
  const wrong = errors[name];
  const described = [help && `${id}_helptext`, wrong && `${id}_error`].filter(Boolean).join(" ");
  return (
    <div className={isBox ? "check" : undefined}>
      <label htmlFor={id}>{isBox ? label : `${label}:`}</label>
      {help && (
        <div className="helptext" id={`${id}_helptext`}>
          {help}
        </div>
      )}
      <ErrorList list={wrong} id={`${id}_error`} />
      <input
        id={id}
        name={name}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={described || undefined}
        {...input}
      />
    </div>
  );
}
