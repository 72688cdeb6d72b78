// Requests to the API, and what came of them. Answers are kept for half a minute, so that going back is instant.
// A list that the server is still reading is asked for again until it is whole.

import { batch, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { encode } from './route';

export type Row = Record<string, any>;

export interface Reply {
  response?: Row[];
  count?: number;
  exportFinished?: boolean;
  warnings?: string[];
  known?: 'visited' | 'discovered' | 'unknown';
  asOf?: { time: string; change: number };
  facets?: Record<string, { value: any; rows: number }[]>;
  others?: Record<string, number>;
  [key: string]: any;
}

/** A refusal. Status 0 means that no answer came. `at` is the range of characters of `parameter` that is meant. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly parameter?: string,
    readonly at?: [number, number],
    readonly code?: string,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

export type Param = [string, string];

/** What keeps all requests from being answered: no sign-in, too many requests, an overload, or no server. */
export const trouble = signal<{ status: number; until: number } | null>(null);
/** Raised when waiting requests are to be sent again. */
export const epoch = signal(0);
/** The state of the index that the last answer shows. */
export const asOf = signal<{ time: string; change?: number } | null>(null);
/** What the present view has cost: requests, bytes on the wire, and the slowest answer in milliseconds. */
export const cost = signal({ requests: 0, bytes: 0, ms: 0 });

const KEPT_MS = 30_000;
const kept = new Map<string, { at: number; reply: Reply }>();
const underWay = new Map<string, Promise<Reply>>();

export function path(endpoint: string, params: Param[] = []): string {
  const text = encode(params);
  return text ? `/${endpoint}?${text}` : `/${endpoint}`;
}

export function resetCost(): void {
  cost.value = { requests: 0, bytes: 0, ms: 0 };
}

export function retryAll(): void {
  batch(() => {
    trouble.value = null;
    epoch.value++;
  });
}

export function forget(): void {
  kept.clear();
}

/** Asks once. Throws a `Failure` for everything but an answer with a status below 400. */
export async function ask(address: string, init: RequestInit = {}): Promise<Reply> {
  const begun = performance.now();
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, {
      ...init,
      headers: { Accept: 'application/json', 'X-Requested-With': 'backlinkd', ...init.headers },
    });
    text = await response.text();
  } catch {
    trouble.value = { status: 0, until: Date.now() + 5000 };
    throw new Failure(0, '');
  }
  const ms = performance.now() - begun;
  const length = Number(response.headers.get('content-length')) || text.length;
  cost.value = {
    requests: cost.value.requests + 1,
    bytes: cost.value.bytes + length,
    ms: Math.max(cost.value.ms, ms),
  };
  let reply: Reply = {};
  try {
    if (text) reply = JSON.parse(text);
  } catch {
    throw new Failure(response.status, `not JSON: ${text.slice(0, 120)}`);
  }
  if (response.ok) return reply;
  const wait = Number(response.headers.get('retry-after')) || 2;
  const failure = new Failure(response.status, reply.error ?? response.statusText, reply.parameter, reply.at, reply.code, wait);
  if ([401, 429, 503].includes(failure.status)) {
    trouble.value = { status: failure.status, until: failure.status === 401 ? Infinity : Date.now() + wait * 1000 };
  } else if (failure.status === 502 || failure.status === 504) {
    trouble.value = { status: 0, until: Date.now() + 5000 };
  }
  throw failure;
}

/** Asks by GET; the same question at the same time is asked once. */
export function get(address: string, fresh = false): Promise<Reply> {
  const known = kept.get(address);
  if (!fresh && known && Date.now() - known.at < KEPT_MS) return Promise.resolve(known.reply);
  const running = underWay.get(address);
  if (running) return running;
  const now = trouble.value;
  if (now && Date.now() < now.until) return Promise.reject(new Failure(now.status, ''));
  const promise = ask(address)
    .then((reply) => {
      if (reply.exportFinished !== false) kept.set(address, { at: Date.now(), reply });
      if (kept.size > 200) kept.delete(kept.keys().next().value!);
      if (reply.asOf) asOf.value = reply.asOf;
      return reply;
    })
    .finally(() => underWay.delete(address));
  underWay.set(address, promise);
  return promise;
}

export function post(address: string, body: unknown, method = 'POST'): Promise<Reply> {
  return ask(address, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

export interface Answer {
  /** The last answer; while `loading`, that of the former question. */
  data?: Reply;
  failure?: Failure;
  loading: boolean;
}

/** How long to wait for more of a list, in milliseconds: about a fifth of the time that it has taken so far. */
const pause = (tries: number) => Math.min(3000, 300 * 1.2 ** tries);

/** The answer to a GET, kept up to date: asked again while unfinished, after trouble, and every `every` milliseconds. */
export function useAnswer(address: string | null, every = 0): Answer {
  const [answer, set] = useState<Answer & { to: string | null }>({ loading: address !== null, to: address });
  const last = useRef<string | null>(null);
  const turn = epoch.value;
  useEffect(() => {
    if (address === null) {
      set({ loading: false, to: null });
      return;
    }
    let over = false;
    let timer = 0;
    let tries = 0;
    const changed = last.current !== address;
    last.current = address;
    if (changed) set((old) => ({ data: old.data, loading: true, to: address }));
    const read = (fresh: boolean) => {
      get(address, fresh).then(
        (data) => {
          if (over) return;
          set({ data, loading: false, to: address });
          if (data.exportFinished === false) timer = window.setTimeout(read, pause(tries++), true);
          else if (every) timer = window.setTimeout(read, every, true);
        },
        (failure: Failure) => {
          if (over) return;
          const passing = [0, 401, 429, 503].includes(failure.status);
          set((old) => ({ data: passing ? old.data : undefined, failure, loading: passing && !old.data, to: address }));
        },
      );
    };
    read(turn > 0 && !changed);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [address, turn, every]);
  // Until the effect has run, the answer is still that to the former question.
  return answer.to === address ? answer : { data: answer.data, loading: address !== null };
}

/** The answer to a POST that only reads: asked again while unfinished, after trouble, and when `body` changes. */
export function usePosted(address: string, body: unknown): Answer {
  const text = JSON.stringify(body);
  const [answer, set] = useState<Answer & { to: string }>({ loading: true, to: text });
  const turn = epoch.value;
  useEffect(() => {
    let over = false;
    let timer = 0;
    let tries = 0;
    const read = () => {
      const now = trouble.value;
      const refused = now && Date.now() < now.until;
      (refused ? Promise.reject(new Failure(now.status, '')) : post(address, body)).then(
        (data) => {
          if (over) return;
          if (data.asOf) asOf.value = data.asOf;
          set({ data, loading: false, to: text });
          if (data.exportFinished === false) timer = window.setTimeout(read, pause(tries++));
        },
        (failure: Failure) => over || set({ failure, loading: false, to: text }),
      );
    };
    read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [address, text, turn]);
  return answer.to === text ? answer : { loading: true };
}

/** The answers to at most `most` GETs; the number of hooks stays the same while addresses come and go. */
export function useAnswers(addresses: string[], most: number): Answer[] {
  const answers: Answer[] = [];
  for (let index = 0; index < most; index++) answers.push(useAnswer(addresses[index] ?? null));
  return answers.slice(0, addresses.length);
}
