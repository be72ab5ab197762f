import { useLocation } from "wouter";
import { api } from "../api";

/** Makes a chat, and leads there; `fail` says why there is none. */
export function NewChat({ quiet = false, fail }: { quiet?: boolean; fail(text: string): void }) {
  const [, navigate] = useLocation();

  async function make() {
    try {
      const { id } = await api<{ id: number }>("/api/chats/", {});
      navigate(`/assistant/${id}/`);
    } catch (error) {
      fail(`There is no new chat. ${(error as Error).message}`);
    }
  }

  return (
    <form action={make}>
      <button className={quiet ? "quiet" : undefined}>New chat</button>
    </form>
  );
}
