// Who writes here, as the service knows them, and what this browser stores of it.

import { load, thread } from "./core.js";

export function save(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(`commentsvc ${key}`);
    else window[storage].setItem(`commentsvc ${key}`, JSON.stringify(value));
  } catch {
    // Private windows, blocked storage: the convenience is lost, nothing else.
  }
}

const { thread: here } = thread.dataset;
export let lastVisit = load("localStorage", "visits")?.[here] ?? "";

/** Only of readers whom this browser knows. */
export function saveVisit(visit = lastVisit) {
  const known = load("localStorage", "key") || load("localStorage", "signed");
  const visits = { ...load("localStorage", "visits") }; // other tabs save theirs
  delete visits[here]; // to the end
  visits[here] = lastVisit = visit;
  save("localStorage", "visits", known && Object.fromEntries(Object.entries(visits).slice(-50)));
}

let bearer = load("sessionStorage", "bearer");

/** Hold a token ourselves, where the browser keeps no cookie for us. */
export function saveBearer(token) {
  bearer = token ?? null;
  save("sessionStorage", "bearer", bearer);
}

export const authHeaders = () => (bearer ? { Authorization: `Bearer ${bearer}` } : {});

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const randomHex = (length) => toHex(crypto.getRandomValues(new Uint8Array(length)));
