// Work that the browser does for a comment while very many are coming, in a thread of its own: it looks for `parts`
// numbers; with each, the SHA-256 of the challenge and the number begins with `bits` zeros. The service checks them in
// domain/comments/proof_of_work.py.

let worker;
let latest = {};

/** Return a promise of the work for the comment with this key; asked again for the same, the same. */
export function solve({ bits, parts, seed }, key) {
  const challenge = `${seed}~${key}`;
  if (latest.challenge !== challenge) {
    worker?.terminate();
    const done = new Promise((resolve, reject) => {
      worker = new Worker(import.meta.url, { type: "module" });
      worker.onmessage = ({ data }) => resolve(`${seed}~${data}`);
      worker.onerror = reject;
      worker.postMessage({ bits, challenge, parts });
    });
    latest = { challenge, done };
    const finished = worker;
    done.catch(() => {}).then(() => finished.terminate());
  }
  return latest.done;
}

// --- SHA-256, of what stands in one block of 64 bytes after another.

const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const fraction = (number) => ((number % 1) * 2 ** 32) | 0;
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const INITIAL = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const w = new Int32Array(64);

function compressBlock(state, out) {
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  out[0] = state[0] + a;
  out[1] = state[1] + b;
  out[2] = state[2] + c;
  out[3] = state[3] + d;
  out[4] = state[4] + e;
  out[5] = state[5] + f;
  out[6] = state[6] + g;
  out[7] = state[7] + h;
}

/** Put text, padded as the end of a message of `total` bytes, or 64 bytes of it unpadded, into the block. */
function setBlock(text, total) {
  w.fill(0, 0, 16);
  for (let i = 0; i < text.length; i++) w[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
  if (total === undefined) return;
  w[text.length >> 2] |= 0x80 << (24 - (text.length & 3) * 8);
  w[15] = total * 8;
}

const wordsToHex = (words) => Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");

function sha256(text) {
  const state = INITIAL.slice();
  let start = 0;
  for (; text.length - start >= 56; start += 64) {
    setBlock(text.slice(start, start + 64));
    const left = text.length - start;
    if (left < 64) w[left >> 2] |= 0x80 << (24 - (left & 3) * 8);
    compressBlock(state, state);
  }
  if (start > text.length) {
    w.fill(0, 0, 15);
    w[15] = text.length * 8;
  } else setBlock(text.slice(start), text.length);
  compressBlock(state, state);
  return wordsToHex(state);
}

function findNumbers({ bits, challenge, parts }) {
  const first = INITIAL.slice(); // of the challenge's 64 digits, which every hash begins with
  setBlock(sha256(challenge));
  compressBlock(first, first);
  const out = new Int32Array(8);
  const numbers = [];
  for (let number = 0; numbers.length < parts; number++) {
    const digits = String(number);
    setBlock(digits, 64 + digits.length);
    compressBlock(first, out);
    if (out[0] >>> (32 - bits) === 0) numbers.push(number);
  }
  return numbers.join();
}

if (!globalThis.document) onmessage = ({ data }) => postMessage(findNumbers(data));
