import type { ChatMessage, Person, Room } from "./room";

/** A message of ours, from when we send it. */
export interface Outgoing {
  key: string; // the server stores a message with the same key once, so it may be sent again
  text: string;
  sent_at: string;
  after: number; // the newest id that we knew when it was sent
  id?: number; // as the server has stored it
  pending: boolean;
  problem?: string; // why it failed
}

export type Step =
  | { type: "send"; message: Pick<Outgoing, "key" | "text" | "sent_at" | "after"> }
  | { type: "again"; key: string }
  | { type: "stored"; key: string; id: number }
  | { type: "failed"; key: string; problem: string };

const KEPT = 200; // messages of ours that a page still knows as such, besides those that are not stored

export function step(outgoing: Outgoing[], action: Step): Outgoing[] {
  if (action.type === "send") return [...forget(outgoing), { ...action.message, pending: true }];
  return outgoing.map((each) => {
    if (each.key !== action.key) return each;
    const { problem: _, ...rest } = each;
    if (action.type === "again") return { ...rest, pending: true };
    if (action.type === "stored") return { ...rest, pending: false, id: action.id };
    return { ...rest, pending: false, problem: action.problem };
  });
}

function forget(outgoing: Outgoing[]): Outgoing[] {
  const stored = outgoing.filter(({ id }) => id !== undefined);
  const old = new Set(stored.slice(0, -KEPT));
  return outgoing.filter((each) => !old.has(each));
}

/** A line of the conversation: a message, or the notice that some are missing there. */
export interface Line {
  key: string;
  id?: number; // none before the server has confirmed it
  gap?: true;
  sender?: Person;
  text?: string;
  sent_at?: string;
  outgoing?: Outgoing;
  follows?: boolean; // the line above is by the same author
}

/** The conversation in the order of its ids; what the server has not confirmed stands at the end.

    The server sends a message of ours before the reply that tells which one it is. So those that came since we have
    been waiting for a reply are not shown, until it is there. */
export function lines(room: Pick<Room, "messages" | "gaps">, outgoing: Outgoing[], me: Person): Line[] {
  const waiting = outgoing.filter(({ pending }) => pending).map(({ after }) => after);
  const held = Math.min(...waiting);
  const ours = new Map(outgoing.map((each) => [each.id, each]));
  const shown: Line[] = [];
  const arrived = new Set<number>();
  for (const message of room.messages) {
    const own = ours.get(message.message_id);
    arrived.add(message.message_id);
    if (own || message.sender.id !== me.id || message.message_id <= held) shown.push(toLine(message, own));
  }
  for (const id of room.gaps) shown.push({ key: `gap-${id}`, id, gap: true });
  for (const own of outgoing) {
    const { key, id, text, sent_at } = own;
    if (id === undefined) shown.push({ key, sender: me, text, sent_at, outgoing: own });
    else if (!arrived.has(id)) shown.push({ key, id, sender: me, text, sent_at, outgoing: own });
  }
  const place = ({ id = Infinity }: Line) => id;
  shown.sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));
  return shown.map((line, n) => ({
    ...line,
    follows: line.sender !== undefined && shown[n - 1]?.sender?.id === line.sender.id,
  }));
}

function toLine({ message_id, message, sender, sent_at }: ChatMessage, own: Outgoing | undefined): Line {
  const line = { id: message_id, sender, text: message, sent_at };
  return own ? { key: own.key, ...line, outgoing: own } : { key: String(message_id), ...line };
}
