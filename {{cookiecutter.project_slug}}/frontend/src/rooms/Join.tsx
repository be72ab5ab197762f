import { useEffect, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { api, useData } from "../api";
import { Note, Pending, Title } from "../ui";

interface Invitation {
  slug: string;
  name: string;
  host: string | null;
  inside: boolean; // may come in, and needs no invitation
}

/** Where a link that invites leads to. */
export default function Join({ params: { slug } }: { params: Record<string, string> }) {
  const path = `/api/rooms/${slug}/join/?${useSearch()}`;
  const { data, error, reload } = useData<Invitation>(path);
  const [, navigate] = useLocation();
  const [failure, setFailure] = useState("");

  useEffect(() => {
    if (data?.inside) navigate(`/rooms/${data.slug}/`, { replace: true });
  }, [data, navigate]);

  async function comeIn() {
    try {
      await api(path, {});
      navigate(`/rooms/${slug}/`, { replace: true });
    } catch (error) {
      setFailure((error as Error).message);
    }
  }

  if (error?.status === 403) return <Over />;
  if (!data || data.inside) return <Pending error={error} retry={reload} />;
  return (
    <form className="card form" action={comeIn}>
      <Title>Invitation</Title>
      <h1>{data.name}</h1>
      <p>{data.host ? `${data.host} invites you to this room.` : "You are invited to this room."}</p>
      <Note text={failure} />
      <button>Come in</button>
    </form>
  );
}

function Over() {
  return (
    <section className="hero">
      <Title>Invitation</Title>
      <h1>This invitation does not hold any more</h1>
      <p>Ask whoever sent it to you for a new link.</p>
      <p>
        <Link className="button" href="/rooms/">
          Go to the rooms
        </Link>
      </p>
    </section>
  );
}
