import { useCallback, useEffect, useReducer, useRef } from "react";
import type { RealtimeError } from "../realtime/realtime.js";
import { type Live, useFrames } from "../realtime/useWebSocket";
import { type Outgoing, step } from "./outgoing";
import type { Room, RoomPath } from "./room";

/** The messages of ours that were sent from here: shown at once, sent once more if the connection broke. */
export function useOutgoing(path: RoomPath, { request, state }: Live<RoomPath, Room>) {
  const [outgoing, dispatch] = useReducer(step, []);
  const waiting = useRef(new Set<(error?: Error) => void>()); // for the connection to be back

  const settle = useCallback((error?: Error) => {
    for (const each of waiting.current) each(error);
    waiting.current.clear();
  }, []);
  useFrames(path, (frame) => {
    if (frame.type === "connection_established") settle();
  });
  useEffect(() => {
    if (state === "closed") settle(new Error("There is no connection any more."));
  }, [state, settle]);

  const deliver = useCallback(
    async ({ key, text }: Pick<Outgoing, "key" | "text">) => {
      const frame = { type: "chat_message" as const, message: text, idempotency_key: key };
      try {
        const { message_id } = await request(frame).catch(async (error: RealtimeError) => {
          if (error.code !== "offline") throw error;
          await new Promise<void>((resolve, reject) => {
            waiting.current.add((error) => (error ? reject(error) : resolve()));
          });
          return request(frame);
        });
        dispatch({ type: "stored", key, id: message_id });
      } catch (error) {
        dispatch({ type: "failed", key, problem: (error as Error).message });
      }
    },
    [request],
  );

  function post(text: string, after: number) {
    const key = crypto.getRandomValues(new BigUint64Array(2)).join("-"); // randomUUID() would need HTTPS
    dispatch({ type: "send", message: { key, text, after, sent_at: new Date().toISOString() } });
    deliver({ key, text });
  }

  const again = useCallback(
    (message: Outgoing) => {
      dispatch({ type: "again", key: message.key });
      deliver(message);
    },
    [deliver],
  );

  return { outgoing, post, again };
}
